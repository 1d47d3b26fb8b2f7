import Foundation

/// A folder that goes away with the object.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "/audioldm2-converter-tests-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file, making the folders on its way, and returns its path.
    @discardableResult
    func write(_ bytes: [UInt8], to file: String) throws -> String {
        let url = URL(fileURLWithPath: path).appendingPathComponent(file)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        // Foundation's own writing waits for the disk, thousands of times in tests of damaged files.
        guard let stream = fopen(url.path, "w"), fwrite(bytes, 1, bytes.count, stream) == bytes.count,
            fclose(stream) == 0
        else { throw CocoaError(.fileWriteUnknown) }
        return url.path
    }

    @discardableResult
    func write(_ text: String, to file: String) throws -> String { try write(Array(text.utf8), to: file) }
}
