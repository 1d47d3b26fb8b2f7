import CMappings
import Files
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
        // At a place of its own: who reads it begins at the start.
        try namingFailures(of: Self.name) {
            try contents.withUnsafeBytes { try Transfer.write($0, to: descriptor, at: 0) }
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// All of it.
    /// - Throws: `AudioError.cannotWrite`.
    func contents() throws -> Data {
        let length = lseek(descriptor, 0, SEEK_END)
        guard length >= 0 else { throw Self.failure(errno) }
        var data = Data(count: Int(length))
        let count = try namingFailures(of: Self.name) {
            try data.withUnsafeMutableBytes { try Transfer.read(into: $0, from: descriptor, at: 0) }
        }
        guard count == data.count else { throw Self.failure(EIO) }
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
