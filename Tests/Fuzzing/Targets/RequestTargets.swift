import AudioLDM2
import AudioLDM2Diagnostics
import Batches
import FoundationEssentials
import SoundServer

/// What people and programs ask for: lines of batches, requests to the server.
extension FuzzTarget {
    static let requests = [
        FuzzTarget("batch", "lines of a batch", longest: 2048, dictionary: "request") { input in
            let lines = BatchLines.split(input.bytes)
            mustHold(lines == inPieces(input.bytes), "lines that came piece by piece are others")
            for line in try BatchFile.lines(of: input.file()) {
                try input.attempt {
                    let fields = try BatchFields(line)
                    _ = try fields.settings.over(SoundSettings()).options(profile: nil)
                }
            }
        },
        FuzzTarget("prompts", "prompts, one a line", longest: 512) { input in
            _ = try PromptFile.prompts(at: input.file(), most: 8)
        },
        FuzzTarget("request", "JSON bodies of the server's requests", longest: 2048, dictionary: "request") { input in
            let line = input.bytes.prefix { $0 != UInt8(ascii: "\n") }
            let json = Data(input.bytes.dropFirst(line.count))
            let words = String(decoding: line, as: UTF8.self).split(separator: " ").map(String.init)
            let order =
                switch words.first {
                case "generate": try PeerBodies.generate(json).order
                case "sound-generation": try PeerBodies.soundGeneration(json, outputFormat: words.dropFirst().first)
                case "speech": try PeerBodies.speech(json)
                default: try JobBody.order(json, sound: Array(tone), limits: ServerLimits())
                }
            _ = try order.settings.options(profile: nil)
        },
        FuzzTarget("form", "a form with a job and a sound", dictionary: "request") { input in
            let line = input.bytes.prefix { $0 != UInt8(ascii: "\n") }
            let form = try MultipartForm(
                Array(input.bytes.dropFirst(line.count + 1)), contentType: String(decoding: line, as: UTF8.self))
            guard let json = form.parts["request"] else { return }
            _ = try JobBody.order(Data(json), sound: form.parts["sound"], limits: ServerLimits())
        },
    ]

    private static func inPieces(_ bytes: [UInt8]) -> [[UInt8]] {
        var lines = BatchLines()
        var found: [[UInt8]] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            found += lines.take(bytes[start..<min(start + 3, bytes.count)])
        }
        return found + lines.end()
    }

    private static let tone: Data = {
        let clip = AudioClip(samples: (0..<64).map { Float($0 % 8) / 8 }, sampleRate: 16000)
        return (try? clip.data(as: .wav)) ?? Data()
    }()
}
