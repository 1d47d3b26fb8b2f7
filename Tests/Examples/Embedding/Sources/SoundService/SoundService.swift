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
        let request = try JSONDecoder().decode(Body.self, from: body)
        var options = try request.settings.options(profile: pipeline.profile)
        options.memoryLimit = 600 << 20
        let result = try await pipeline.generate(request.prompt, options: options)
        return try result.clip.data(as: .flac, record: result.record)
    }

    /// The fields of ``SoundSettings``, and a prompt beside them.
    private struct Body: Decodable {
        let prompt: String
        let settings: SoundSettings

        init(from decoder: any Decoder) throws {
            var fields = try decoder.singleValueContainer().decode([String: Field].self)
            guard case .text(let prompt)? = fields.removeValue(forKey: "prompt") else {
                throw AudioLDM2Error(.invalidOption, "\"prompt\" is missing: say what the sound should be")
            }
            self.prompt = prompt
            settings = try JSONDecoder().decode(SoundSettings.self, from: JSONEncoder().encode(fields))
        }
    }

    private enum Field: Codable {
        case text(String)
        case whole(UInt64)
        case number(Double)
        case flag(Bool)

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if let flag = try? value.decode(Bool.self) {
                self = .flag(flag)
            } else if let whole = try? value.decode(UInt64.self) {
                self = .whole(whole)
            } else if let number = try? value.decode(Double.self) {
                self = .number(number)
            } else {
                self = .text(try value.decode(String.self))
            }
        }

        func encode(to encoder: any Encoder) throws {
            var value = encoder.singleValueContainer()
            switch self {
            case .text(let text): try value.encode(text)
            case .whole(let whole): try value.encode(whole)
            case .number(let number): try value.encode(number)
            case .flag(let flag): try value.encode(flag)
            }
        }
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
