import Glibc

/// Regular files opened for reading: never waits for a FIFO, and refuses it as it does folders and devices.
package enum RegularFile {
    /// - Returns: an open descriptor, which is the caller's to close, and the file's size in bytes.
    /// - Throws: `FileError`; `code` is 0 for what is there and not a regular file.
    package static func open(_ path: String) throws -> (descriptor: Int32, byteCount: Int) {
        let descriptor = try FileName.with(path) { Glibc.open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
        guard descriptor >= 0 else { throw FileError("open", code: errno) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let error = FileError("open", code: errno)
            close(descriptor)
            throw error
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw FileError("open", reason: notRegular(status))
        }
        return (descriptor, Int(status.st_size))
    }

    /// The whole of a file.
    /// - Throws: `FileError`, also for a file of more than `limit` bytes.
    package static func contents(of path: String, limit: Int) throws -> [UInt8] {
        let (descriptor, byteCount) = try open(path)
        defer { close(descriptor) }
        guard byteCount <= limit else {
            throw FileError("read", reason: "it has \(byteCount) bytes, \(limit) are the most")
        }
        var code: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, done in
            while done < byteCount {
                let count = read(descriptor, buffer.baseAddress.map { $0 + done }, byteCount - done)
                if count < 0, errno == EINTR { continue }
                if count < 0 { code = errno }
                if count <= 0 { break }
                done += count
            }
        }
        guard code == 0 else { throw FileError("read", code: code) }
        return bytes
    }

    /// What a file is that is not a regular one.
    static func notRegular(_ status: stat) -> String {
        status.st_mode & S_IFMT == S_IFDIR ? "it is a folder" : "it is not a regular file"
    }
}
