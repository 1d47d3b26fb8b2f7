import Foundation
import Testing

@Suite struct ImportTests {
    /// One import of it, and what is linked statically is 40 MB larger, most of it Unicode's data.
    @Test(arguments: ["Sources", "Converter", "Weights"])
    func nothingNeedsAllOfFoundation(folder: String) throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let files = try #require(
            FileManager.default.enumerator(at: root.appendingPathComponent(folder), includingPropertiesForKeys: nil)
        ).compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }
        #expect(!files.isEmpty)
        for file in files {
            let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
            #expect(
                !lines.contains { $0.hasSuffix("import Foundation") },
                "\(file.lastPathComponent): import FoundationEssentials, Glibc or Text instead")
        }
    }
}
