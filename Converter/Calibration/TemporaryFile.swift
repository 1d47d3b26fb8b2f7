import Foundation

/// A name for a file that goes when this does.
final class TemporaryFile {
    let path: String

    /// - Throws: what making its folder throws.
    init(suffix: String) throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("audioldm2-\(UUID().uuidString)", isDirectory: true)
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        path = folder.appendingPathComponent("outline" + suffix).path
    }

    deinit { try? FileManager.default.removeItem(atPath: (path as NSString).deletingLastPathComponent) }
}
