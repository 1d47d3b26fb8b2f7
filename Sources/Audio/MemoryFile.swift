import CMappings
import FoundationEssentials
import Glibc

/// A file that is nowhere but in memory: for libsndfile, which goes back and forth in a file, where the sound is in a program.
final class MemoryFile {
    let descriptor: Int32

    /// - Parameter contents: of the file; its place is at the start.
    /// - Throws: `AudioError.cannotWrite` if the system gives no memory or no descriptor.
    init(_ contents: Data = Data()) throws {
        descriptor = cmappings_memory_file("audioldm2-sound")
        guard descriptor >= 0 else { throw Self.failure(errno) }
        var written = 0
        while written < contents.count {
            let count = contents.withUnsafeBytes { bytes in
                let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
                return write(descriptor, rest.baseAddress, rest.count)
            }
            if count < 0, errno == EINTR { continue }
            // Closed with the object.
            guard count > 0 else { throw Self.failure(count < 0 ? errno : ENOSPC) }
            written += count
        }
        lseek(descriptor, 0, SEEK_SET)
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// All of it.
    /// - Throws: `AudioError.cannotWrite`.
    func contents() throws -> Data {
        let length = lseek(descriptor, 0, SEEK_END)
        guard length >= 0 else { throw Self.failure(errno) }
        var data = Data(count: Int(length))
        var read = 0
        while read < data.count {
            let count = data.withUnsafeMutableBytes { bytes in
                let rest = UnsafeMutableRawBufferPointer(rebasing: bytes[read...])
                return pread(descriptor, rest.baseAddress, rest.count, off_t(read))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.failure(count < 0 ? errno : EIO) }
            read += count
        }
        return data
    }

    /// Another descriptor of the same file, which its owner closes.
    /// - Throws: `AudioError.cannotWrite` if the system gives none.
    func duplicate() throws -> Int32 {
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { throw Self.failure(errno) }
        return copy
    }

    /// How it is called in messages.
    static let name = "the sound"

    private static func failure(_ code: Int32) -> AudioError {
        .cannotWrite(path: name, reason: systemReason(code))
    }
}
