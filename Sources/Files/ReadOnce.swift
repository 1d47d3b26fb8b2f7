import Glibc

/// What can be read only once, from its beginning to its end: pipes, and the standard input, whose name is "-".
package enum ReadOnce {
    package static let standardInput = "-"

    /// Names of descriptors that are open already, as shells make them of `<(command)`. A FIFO of any other name has to be
    /// waited for, and may be for ever.
    private static let openNames = ["/dev/fd/", "/dev/stdin", "/proc/self/fd/"]

    /// Whether a name is that of something which has to be read so.
    package static func isNeeded(_ name: String) -> Bool {
        guard name != standardInput else { return true }
        guard openNames.contains(where: name.hasPrefix) else { return false }
        return FileName.status(name).map { [S_IFIFO, S_IFCHR, S_IFSOCK].contains($0.st_mode & S_IFMT) } ?? false
    }

    /// All of a file, whatever its kind.
    /// - Throws: `FileError`.
    package static func contents(of name: String) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try read(name) { bytes += $0 }
        return bytes
    }

    /// A nameless file that holds the same, for what goes back and forth in it.
    /// - Parameter limit: in bytes; some never end.
    /// - Returns: an open descriptor, which is the caller's to close.
    /// - Throws: `FileError`.
    package static func kept(_ name: String, limit: Int) throws -> Int32 {
        let file = try PartialFile.createTemporary()
        do {
            var place = 0
            try read(name) { block in
                guard block.count <= limit - place else {
                    throw FileError("read", reason: "it does not end after \(limit) bytes")
                }
                try Transfer.write(block, to: file, at: place, "keep")
                place += block.count
            }
        } catch {
            close(file)
            throw error
        }
        return file
    }

    /// All of a file, block by block as it comes.
    /// - Throws: `FileError`, and what `take` throws.
    package static func read(_ name: String, _ take: (UnsafeRawBufferPointer) throws -> Void) throws {
        let descriptor =
            name == standardInput
            ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) : try FileName.with(name) { open($0, O_RDONLY | O_CLOEXEC) }
        guard descriptor >= 0 else { throw FileError("open", code: errno) }
        defer { close(descriptor) }
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
        defer { block.deallocate() }
        while true {
            let count = Glibc.read(descriptor, block.baseAddress, block.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw FileError("read", code: errno) }
            if count == 0 { return }
            try take(UnsafeRawBufferPointer(rebasing: block[..<count]))
        }
    }
}
