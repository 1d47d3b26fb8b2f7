import AudioLDM2
import Terminal

/// What lines of a batch refer to: saved conditions, and sounds in the place of prompts. Each file is read once.
final class BatchConditions {
    private let pipeline: AudioLDM2Pipeline
    private var known: [String: SoundCondition] = [:]

    init(_ pipeline: AudioLDM2Pipeline) { self.pipeline = pipeline }

    var profile: ReferenceProfile? { pipeline.profile }

    /// - Throws: `AudioLDM2Error` for files that cannot be used, and for what does not go together.
    func condition(audioPrompt: String?, saved: String?, prompt: String) async throws -> SoundCondition? {
        guard audioPrompt == nil || saved == nil else {
            throw AudioLDM2Error(.invalidOption, "\"audio_prompt\" and \"condition\" exclude each other")
        }
        if let audioPrompt {
            return try await remember("sound " + audioPrompt) {
                try await pipeline.languageOfAudio(of: audioPrompt, notice: printWarning)
            }
        }
        guard let saved else { return nil }
        let condition = try await remember("saved " + saved) { try SoundCondition(contentsOf: saved) }
        guard condition.isLanguageOfAudioAlone || prompt.isEmpty else {
            throw AudioLDM2Error(.invalidOption, "\(saved) was made of a prompt: leave \"prompt\" out")
        }
        return condition
    }

    private func remember(
        _ key: String, _ make: () async throws -> SoundCondition
    ) async throws -> SoundCondition {
        if let condition = known[key] { return condition }
        let condition = try await make()
        known[key] = condition
        return condition
    }
}
