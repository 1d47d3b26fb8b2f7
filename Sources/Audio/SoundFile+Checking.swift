import Files
import Foundation

extension SoundFile {
    /// Finds out before any work is done whether a sound could be written to `path`: its extension is known and its
    /// folder takes new files.
    /// - Throws: `AudioError`, as `write` would.
    package static func checkWritable(_ path: String) throws {
        _ = try SoundContainer(path: path)
        try checkFolder(of: path)
    }

    /// Finds out whether the folder of `path` takes new files.
    /// - Throws: `AudioError.cannotWrite`.
    package static func checkFolder(of path: String) throws {
        let destination = try namingFailures(of: path) { try AtomicFile.destination(of: path) }
        let folder = URL(fileURLWithPath: destination).deletingLastPathComponent().path
        // Only trying tells: some folders say that they can be written to and take no files.
        var template = Array((folder + "/.audioldm2-XXXXXX").utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw AudioError.cannotWrite(path: path, reason: systemReason(errno)) }
        close(descriptor)
        unlink(template)
    }
}
