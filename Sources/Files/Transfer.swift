import Glibc

/// Bytes on their way between memory and a file until all have arrived: the system may take fewer at a time, or stop for a
/// signal.
package enum Transfer {
    /// Writes all bytes at a place.
    /// - Parameter operation: what is said to have been refused.
    /// - Throws: `FileError`.
    package static func write(
        _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, at place: Int, _ operation: String = "write"
    ) throws {
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            let count = pwrite(descriptor, rest.baseAddress, rest.count, off_t(place + done))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw FileError(operation, code: count < 0 ? errno : ENOSPC, offset: place + done) }
            done += count
        }
    }

    /// Reads from a place on until the buffer is full or the file ends.
    /// - Returns: how many bytes were read.
    /// - Throws: `FileError`.
    package static func read(
        into buffer: UnsafeMutableRawBufferPointer, from descriptor: Int32, at place: Int, _ operation: String = "read"
    ) throws -> Int {
        var done = 0
        while done < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = pread(descriptor, rest.baseAddress, rest.count, off_t(place + done))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw FileError(operation, code: errno, offset: place + done) }
            if count == 0 { break }
            done += count
        }
        return done
    }
}
