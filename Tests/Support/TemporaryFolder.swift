import Foundation

/// A folder that goes away with the object.
package final class TemporaryFolder: Sendable {
    package let path: String

    package init() throws {
        path =
            FileManager.default.temporaryDirectory.appendingPathComponent("audioldm2-tests-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    package var url: URL { URL(fileURLWithPath: path) }

    package func file(_ name: String) -> String { path + "/" + name }

    /// Names of everything inside, hidden files too.
    package func contents() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }

    /// Writes a file, making the folders on its way, and returns its path.
    @discardableResult
    package func write(_ bytes: [UInt8], to name: String) throws -> String {
        let url = url.appendingPathComponent(name)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        // Foundation's own writing waits for the disk, thousands of times in tests of damaged files.
        guard let stream = fopen(url.path, "w"), fwrite(bytes, 1, bytes.count, stream) == bytes.count,
            fclose(stream) == 0
        else { throw CocoaError(.fileWriteUnknown) }
        return url.path
    }

    @discardableResult
    package func write(_ text: String, to name: String) throws -> String { try write(Array(text.utf8), to: name) }
}
