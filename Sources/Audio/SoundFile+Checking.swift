import Foundation

extension SoundFile {
    /// Finds out before any work is done whether a sound could be written to `path`: its extension is known and its
    /// folder takes new files.
    /// - Throws: `AudioError`, as `write` would.
    package static func checkWritable(_ path: String) throws {
        _ = try SoundContainer(path: path)
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        guard access(folder, W_OK | X_OK) == 0 else {
            throw AudioError.cannotWrite(path: path, reason: systemReason(errno))
        }
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            throw AudioError.cannotWrite(path: path, reason: "it is a folder; name a file")
        }
    }
}
