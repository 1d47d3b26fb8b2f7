import Audio
import Evaluation
import Files
import Foundation
import ListeningTest
import TestSupport

/// Folders of short made-up sounds, which two systems and recordings have in common.
struct TestMaterial {
    let folder: TemporaryFolder
    static let names = (0..<10).map { "item\($0)" }

    init(seconds: Double = 0.5) throws {
        folder = try TemporaryFolder()
        for (system, level) in [("small", 0.1), ("large", 0.4), ("real", 0.02)] {
            var manifest = ""
            for (index, name) in Self.names.enumerated() {
                try FileName.makeFolder(folder.file(system))
                let hertz = 200 + 90 * Double(index)
                let samples = (0..<Int(16000 * seconds)).map { place in
                    Float(level * sin(2 * Double.pi * hertz * Double(place) / 16000) * (place < 4000 ? 1 : 0.3))
                }
                try SoundFile.write(
                    Sound(samples: samples, sampleRate: 16000), to: folder.file("\(system)/\(name).wav"))
                manifest +=
                    #"{"line":1,"status":"made","output":"\#(name).wav","record":{"prompt":"the text of \#(name)"}}"#
                    + "\n"
            }
            try folder.write(manifest, to: "\(system)/manifest.jsonl")
        }
    }

    func set(_ system: String) throws -> SoundSet { try SoundSet(folder.file(system)) }

    /// Makes a test under `page`.
    func make(
        _ output: String = "page", change: (inout ListeningTestOptions) -> Void = { _ in }
    ) throws -> (summary: ListeningTest.Summary, key: ListeningTestKey, page: Page) {
        var options = ListeningTestOptions()
        options.raters = 10
        options.training = 2
        change(&options)
        let summary = try ListeningTest(options).make(
            systems: [("small", set("small")), ("large", set("large"))], reference: set("real"),
            output: folder.file(output))
        let script = try String(contentsOfFile: folder.file("\(output)/test.js"), encoding: .utf8)
        let json = script.dropFirst("window.LISTENING_TEST = ".count).dropLast(2)
        return (
            summary, try ListeningReport.key(contentsOf: summary.keyFile),
            try JSONDecoder().decode(Page.self, from: Data(json.utf8))
        )
    }
}

/// What `page.js` finds in `test.js`.
struct Page: Decodable {
    struct Question: Decodable {
        let name: String
        let text: String
        let mushra: Bool
    }
    struct Trial: Decodable {
        let clip: String?
        let reference: String?
        let clips: [String]?
        let prompt: String?
        let training: Bool?
    }
    struct Block: Decodable {
        let question: Int
        let trials: [Trial]
    }
    let id: String
    let headphones: [String]
    let questions: [Question]
    let orders: [[Block]]
}
