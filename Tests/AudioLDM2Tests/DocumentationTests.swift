import Foundation
import TestSupport
import Testing

/// Tutorials show code that is compiled: that of `Tests/Examples`.
@Suite struct DocumentationTests {
    private let root = Fixtures.folder("").deletingLastPathComponent().deletingLastPathComponent()

    private func text(_ path: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    @Test(arguments: [
        ("FirstSound", "Embedding/Embedding"), ("EmbeddingInAServer", "SoundService/SoundService"),
        ("ConvertingACheckpoint", "Converting/Converting"),
    ])
    func tutorialsShowTheExamples(tutorial: String, example: String) throws {
        let article = try text("Sources/AudioLDM2/AudioLDM2.docc/Tutorials/\(tutorial).md")
        let code = try text("Tests/Examples/Embedding/Sources/\(example).swift")
        let blocks = article.components(separatedBy: "```swift\n").dropFirst()
            .compactMap { $0.components(separatedBy: "\n```").first }
        let longest = try #require(blocks.max { $0.count < $1.count })
        #expect(longest.count > 500 && code.contains(longest), "\(tutorial) shows other code than \(example).swift")
    }

    /// A link that leads nowhere is found by DocC alone, which is not installed everywhere.
    @Test func linksLeadToArticles() throws {
        let catalogue = root.appendingPathComponent("Sources/AudioLDM2/AudioLDM2.docc")
        let files = try #require(FileManager.default.enumerator(at: catalogue, includingPropertiesForKeys: nil))
            .compactMap { $0 as? URL }.filter { $0.pathExtension == "md" }
        let names = Set(files.map { $0.deletingPathExtension().lastPathComponent })
        #expect(names.count >= 15)
        for file in files {
            let words = try String(contentsOf: file, encoding: .utf8).components(separatedBy: "<doc:").dropFirst()
            for word in words {
                let name = String(word.prefix { $0 != ">" })
                #expect(names.contains(name), "\(file.lastPathComponent) links to \(name)")
            }
        }
    }

    /// Swift warns of no public name that says nothing of itself.
    @Test(arguments: [
        "Sources/AudioLDM2", "Sources/AudioLDM2Diagnostics", "Sources/Evaluation", "Sources/ListeningTest", "Converter",
        "Weights",
    ])
    func publicNamesAreDocumented(folder: String) throws {
        let files = try #require(
            FileManager.default.enumerator(at: root.appendingPathComponent(folder), includingPropertiesForKeys: nil)
        ).compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }
        var count = 0
        for file in files {
            let lines = try String(contentsOf: file, encoding: .utf8).split(
                separator: "\n", omittingEmptySubsequences: false
            ).map { $0.trimmingCharacters(in: .whitespaces) }
            // Attributes and what surrounds them stand between a name and its comment.
            let marks = ["@", "#if", "#endif"]
            for (place, line) in lines.enumerated() where line.hasPrefix("public ") {
                count += 1
                let above = lines[..<place].last { line in !marks.contains { line.hasPrefix($0) } }
                #expect(
                    above?.hasPrefix("///") == true, "\(file.lastPathComponent):\(place + 1) says nothing of: \(line)")
            }
        }
        #expect(count > 0)
    }
}
