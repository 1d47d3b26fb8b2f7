import Foundation

/// A file that takes its name only when it is complete: written beside its place, synced, renamed.
///
/// One thread at a time. The partial file goes when the object goes, unless `commit` succeeded.
package final class AtomicFile {
    /// Creates the partial file and returns a descriptor, or -1 with `errno` set.
    package typealias Opener = (_ path: String) -> Int32

    let path: String
    private let folder: String
    private let destination: String
    private let partialPath: String
    private var descriptor: Int32

    /// - Parameter opener: for tests of failing devices.
    /// - Throws: `PackError.writeFailed` if the folder is missing or cannot be written to, or if something that is not a
    ///   file has the name.
    package init(path: String, opener: Opener = AtomicFile.createExclusively) throws {
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
            let isFolder = status.st_mode & S_IFMT == S_IFDIR
            throw PackError.writeFailed(
                path: path, operation: "be replaced", reason: isFolder ? "it is a folder" : "it is not a regular file")
        }
        let url = URL(fileURLWithPath: path)
        self.path = path
        destination = url.path
        folder = url.deletingLastPathComponent().path
        partialPath = folder + "/.\(String(UInt64.random(in: 0 ... .max), radix: 36)).aldm.partial"
        descriptor = opener(partialPath)
        guard descriptor >= 0 else {
            throw PackError.writeFailed(
                path: path, operation: "create a file in its folder", reason: SystemError.text(errno))
        }
    }

    deinit { discard() }

    package static func createExclusively(_ path: String) -> Int32 {
        open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    }

    /// Writes all bytes at a place; what is skipped reads as zeros.
    /// - Throws: `PackError`: `diskFull`, `writeFailed`.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
        var written = 0
        while written < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
            let count = pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset + written))
            if count < 0 {
                if errno == EINTR { continue }
                throw failure("write", at: offset + written)
            }
            written += count
        }
    }

    /// - Throws: `PackError.writeFailed`.
    func truncate(to byteCount: Int) throws {
        guard ftruncate(descriptor, off_t(byteCount)) == 0 else { throw failure("shorten", at: byteCount) }
    }

    /// Puts the file, of `byteCount` bytes, in its place, replacing what is there.
    /// - Throws: `PackError`: `diskFull`, `writeFailed`; then the place is as it was.
    func commit(byteCount: Int) throws {
        guard fsync(descriptor) == 0 else { throw failure("sync", at: byteCount) }
        let closed = close(descriptor)
        descriptor = -1
        guard closed == 0, rename(partialPath, destination) == 0 else {
            let error = failure("put in place", at: byteCount)
            unlink(partialPath)
            throw error
        }
        syncFolder()
    }

    /// Removes the partial file. Does nothing after `commit`.
    func discard() {
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

    private func failure(_ operation: String, at offset: Int) -> PackError {
        let code = errno
        return code == ENOSPC || code == EDQUOT
            ? .diskFull(path: path, operation: operation, offset: offset)
            : .writeFailed(path: path, operation: operation, reason: SystemError.text(code))
    }
}
