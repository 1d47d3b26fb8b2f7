import AudioLDM2
import AudioLDM2DefaultModel
import Foundation

/// Sounds for whoever asks, as a server would make them: weights stay in memory, requests wait for each other, and each is
/// answered with a sound file in memory.
actor SoundService {
    private let pipeline: AudioLDM2Pipeline

    init() async throws {
        pipeline = try await .ofDefaultModel(weightBudget: 256 << 20)
    }

    /// - Parameter body: the JSON of a request, such as `{"prompt": "heavy rain", "seconds": 2, "seed": 7}`.
    /// - Returns: a FLAC file.
    func answer(_ body: Data) async throws -> Data {
        let settings = try SoundSettings(json: body, besides: ["prompt"])
        let prompt = try JSONDecoder().decode(Prompt.self, from: body).prompt
        var options = try settings.options(profile: pipeline.profile)
        options.memoryLimit = 600 << 20
        let result = try await pipeline.generate(prompt ?? "", options: options)
        return try result.clip.data(as: .flac, record: result.record)
    }

    /// What a request has beside the settings of its sound.
    private struct Prompt: Decodable {
        let prompt: String?
    }
}

/// Reads a request from each line of the standard input, and says what it would answer.
@main
struct Main {
    static func main() async throws {
        let service = try await SoundService()
        try await withThrowingTaskGroup(of: Void.self) { group in
            while let line = readLine() {
                group.addTask {
                    do {
                        let sound = try await service.answer(Data(line.utf8))
                        print("\(sound.count) bytes for \(line)")
                    } catch {
                        print("\(error.localizedDescription) (\(line))")
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}
