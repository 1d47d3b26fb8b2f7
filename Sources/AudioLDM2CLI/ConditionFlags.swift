import ArgumentParser
import AudioLDM2
import Terminal

/// What else a sound is made of than its prompt.
struct ConditionFlags: ParsableArguments {
    @Option(
        help:
            "A sound whose language of audio takes the place of the prompt's, or is mixed with it: see --audio-weight.",
        completion: .file(), transform: plainText)
    var audioPrompt: String?

    @Option(
        parsing: .unconditional, help: "The share of the sound's language of audio, 0 to 1; the rest is the prompt's.")
    var audioWeight: Float = 1

    @Option(
        help: "What 'audioldm2 encode' or 'audioldm2 loa' saved. One of a prompt takes the place of the prompt.",
        completion: .file(), transform: plainText)
    var condition: String?

    func validate() throws {
        guard (0...1).contains(audioWeight) else {
            throw ValidationError("--audio-weight \(audioWeight): choose 0 to 1.")
        }
        guard audioPrompt == nil || condition == nil else {
            throw ValidationError("--audio-prompt and --condition exclude each other.")
        }
    }

    /// Whether a prompt can be left out.
    var saysSomething: Bool { audioPrompt != nil || condition != nil }

    /// The condition that the options ask for, if they do.
    func load(_ pipeline: AudioLDM2Pipeline, prompt: String) async throws -> SoundCondition? {
        if let audioPrompt { return try await pipeline.languageOfAudio(of: audioPrompt, notice: printWarning) }
        guard let condition else { return nil }
        let saved = try SoundCondition(contentsOf: condition)
        guard saved.isLanguageOfAudioAlone || prompt.isEmpty else {
            throw ValidationError("\(condition) was made of a prompt: leave the prompt out.")
        }
        return saved
    }
}
