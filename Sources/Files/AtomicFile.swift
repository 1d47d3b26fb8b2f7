import Foundation

/// A file that takes its name only when it is complete: written beside its place, synced, renamed.
///
/// One thread at a time. The partial file goes when the object goes, unless `commit` succeeded.
package final class AtomicFile {
    /// Creates the partial file and returns a descriptor, or -1 with `errno` set.
    package typealias Opener = (_ path: String) -> Int32

    package let path: String
    /// Of the partial file, open for reading and writing.
    package private(set) var descriptor: Int32
    private let folder: String
    private let destination: String
    private let partialPath: String

    /// - Parameter opener: for tests of failing devices.
    /// - Throws: `FileError` if the folder is missing or cannot be written to, or if something that is not a file has the
    ///   name.
    package init(path: String, opener: Opener = AtomicFile.createExclusively) throws {
        let url = URL(fileURLWithPath: try Self.destination(of: path))
        self.path = path
        destination = url.path
        folder = url.deletingLastPathComponent().path
        partialPath = folder + "/.audioldm2-\(String(UInt64.random(in: 0 ... .max), radix: 36)).partial"
        descriptor = opener(partialPath)
        guard descriptor >= 0 else { throw FileError(Self.creation, code: errno) }
    }

    private static let creation = "create a file in its folder"

    deinit { discard() }

    package static func createExclusively(_ path: String) -> Int32 {
        open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    }

    /// `path` with links followed, so that a link to a file stays one.
    /// - Throws: `FileError` for devices, pipes and folders: they would be replaced by a file.
    package static func destination(of path: String) throws -> String {
        var status = stat()
        guard stat(path, &status) == 0 else { return path }
        guard status.st_mode & S_IFMT == S_IFREG else {
            let isFolder = status.st_mode & S_IFMT == S_IFDIR
            throw FileError("be replaced", reason: isFolder ? "it is a folder" : "it is not a regular file")
        }
        guard let resolved = realpath(path, nil) else { throw FileError(creation, code: errno) }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// Writes all bytes at a place; what is skipped reads as zeros.
    /// - Throws: `FileError`.
    package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
        var written = 0
        while written < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
            let count = pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset + written))
            if count < 0 {
                if errno == EINTR { continue }
                throw FileError("write", code: errno, offset: offset + written)
            }
            written += count
        }
    }

    /// - Throws: `FileError`.
    package func truncate(to byteCount: Int) throws {
        guard ftruncate(descriptor, off_t(byteCount)) == 0 else {
            throw FileError("shorten", code: errno, offset: byteCount)
        }
    }

    /// Puts the file in its place, replacing what is there.
    /// - Throws: `FileError`; then the place is as it was.
    package func commit() throws {
        guard fsync(descriptor) == 0 else { throw FileError("sync", code: errno) }
        let closed = close(descriptor)
        descriptor = -1
        guard closed == 0, rename(partialPath, destination) == 0 else {
            let error = FileError("put in place", code: errno)
            unlink(partialPath)
            throw error
        }
        syncFolder()
    }

    /// Removes the partial file. Does nothing after `commit`.
    package func discard() {
        guard descriptor >= 0 else { return }
        close(descriptor)
        descriptor = -1
        unlink(partialPath)
    }

    /// Makes the rename last. The file is in place and complete already, so a folder that cannot be synced is no error.
    private func syncFolder() {
        let descriptor = open(folder, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }
}
