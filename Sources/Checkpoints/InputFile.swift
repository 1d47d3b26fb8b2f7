import Files
import Glibc

/// A file read by position, from several threads at once.
///
/// Read rather than mapped: pages of a mapping would count as the converter's memory until the kernel drops them, and a
/// file that shrinks meanwhile would kill the process (SIGBUS) instead of throwing.
package final class InputFile: Sendable {
    /// For messages: a path below the checkpoint folder.
    package let name: String
    package let size: Int
    private let descriptor: Int32

    /// - Throws: `CheckpointError.unreadable` if `path` cannot be opened or is not a regular file, `.pointer`.
    package init(path: String, name: String) throws {
        do {
            (descriptor, size) = try RegularFile.open(path)
        } catch let error as FileError {
            throw CheckpointError.unreadable(path: name, reason: error.reason)
        }
        self.name = name
        guard size > 0, size <= GitPointer.sizeLimit else { return }
        guard try !GitPointer.isOne(bytes(at: 0, count: size), size: size) else {
            throw CheckpointError.pointer(file: name)
        }
    }

    deinit { close(descriptor) }

    /// Fills `buffer` with the bytes from `offset` on.
    /// - Throws: `CheckpointError` if the file ends before or cannot be read.
    package func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws {
        var done = 0
        while done < buffer.count {
            let remaining = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = pread(descriptor, remaining.baseAddress, remaining.count, off_t(offset + done))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw CheckpointError.unreadable(path: name, reason: String(cString: strerror(errno)))
            }
            guard count > 0 else {
                throw CheckpointError.malformed(file: name, reason: "ends at byte \(offset + done)")
            }
            done += count
        }
    }

    /// - Throws: also if the range reaches past the end, before anything is allocated.
    package func bytes(at offset: Int, count: Int) throws -> [UInt8] {
        guard offset >= 0, count >= 0, offset <= size, count <= size - offset else {
            throw CheckpointError.malformed(
                file: name, reason: "ends at byte \(size), \(offset) + \(count) were expected")
        }
        return try [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            try read(
                at: offset,
                into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<count]))
            initialized = count
        }
    }

    /// The whole of a small text file.
    /// - Throws: `CheckpointError.malformed` if it is larger than `limit` bytes.
    package static func contents(path: String, name: String, limit: Int) throws -> [UInt8] {
        let file = try InputFile(path: path, name: name)
        guard file.size <= limit else {
            throw CheckpointError.malformed(
                file: name, reason: "has \(file.size) bytes, at most \(limit) were expected")
        }
        return try file.bytes(at: 0, count: file.size)
    }
}
