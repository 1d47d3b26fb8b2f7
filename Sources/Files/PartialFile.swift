import Glibc
import Synchronization

/// Files on their way to be complete: without a name where the file system can, so that nothing is left of them whatever
/// ends the process; else hidden ones, which the next command removes.
enum PartialFile {
    private static let prefix = ".audioldm2-"
    private static let suffix = ".partial"
    /// `O_TMPFILE`, a macro that Swift's module of the C library leaves out.
    private static let unnamed = 0o20_000_000 | O_DIRECTORY

    static func name(in folder: String) -> String {
        "\(folder)/\(prefix)\(String(UInt64.random(in: 0 ... .max), radix: 36))\(suffix)"
    }

    /// - Throws: `FileError` if the folder takes no files.
    static func create(in folder: String, named name: String) throws -> (descriptor: Int32, isNamed: Bool) {
        let descriptor = try FileName.with(folder) { open($0, unnamed | O_RDWR | O_CLOEXEC, 0o666) }
        // Names are given through /proc.
        if descriptor >= 0, access(place(of: descriptor), F_OK) == 0 { return (locked(descriptor), false) }
        if descriptor >= 0 { close(descriptor) }
        return (try createNamed(name), true)
    }

    /// A file that has no name and gets none.
    /// - Throws: `FileError` if the folder for temporary files takes none.
    static func createTemporary() throws -> Int32 {
        let chosen = getenv("TMPDIR").map { String(cString: $0) } ?? ""
        let folder = chosen.isEmpty ? "/tmp" : chosen
        let name = name(in: folder)
        do {
            let file = try create(in: folder, named: name)
            if file.isNamed { remove(name) }
            return file.descriptor
        } catch let error as FileError {
            throw FileError(
                "keep", reason: "\(folder) takes no temporary files (\(error.reason.lowercased())); set TMPDIR")
        }
    }

    private static func createNamed(_ name: String) throws -> Int32 {
        let descriptor = try FileName.with(name) { open($0, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o666) }
        guard descriptor >= 0 else { throw FileError(AtomicFile.creation, code: errno) }
        return locked(descriptor)
    }

    /// The lock says that somebody still writes; it ends with the process.
    private static func locked(_ descriptor: Int32) -> Int32 {
        flock(descriptor, LOCK_EX | LOCK_NB)
        return descriptor
    }

    /// A name that leads to an open file in this process.
    static func place(of descriptor: Int32) -> String { "/proc/self/fd/\(descriptor)" }

    /// Names a file without one.
    /// - Returns: false if the name is taken, or files cannot be named so here.
    static func link(_ descriptor: Int32, to name: String) throws -> Bool {
        try FileName.with(name) {
            linkat(AT_FDCWD, place(of: descriptor), AT_FDCWD, $0, AT_SYMLINK_FOLLOW) == 0
        }
    }

    /// - Returns: the descriptor of a new file of this name that holds the same, on the disk.
    static func copy(_ source: Int32, to name: String) throws -> Int32 {
        let copy = try createNamed(name)
        do {
            var status = stat()
            guard fstat(source, &status) == 0, fchmod(copy, status.st_mode & 0o777) == 0 else {
                throw FileError("put in place", code: errno)
            }
            var block = [UInt8](repeating: 0, count: 1 << 20)
            var place = 0
            while case let count = try block.withUnsafeMutableBytes({
                try Transfer.read(into: $0, from: source, at: place, "put in place")
            }), count > 0 {
                try block.withUnsafeBytes {
                    try Transfer.write(
                        UnsafeRawBufferPointer(rebasing: $0[..<count]), to: copy, at: place, "put in place")
                }
                place += count
            }
            guard fsync(copy) == 0 else { throw FileError("sync", code: errno) }
        } catch {
            close(copy)
            remove(name)
            throw error
        }
        return copy
    }

    static func remove(_ name: String) { _ = try? FileName.with(name) { unlink($0) } }

    // MARK: What others left

    /// Folders that were looked through.
    private static let swept = Mutex<Set<String>>([])
    /// A file that is younger may not have been locked yet, in seconds.
    private static let youngest = 60

    /// Removes partial files that nobody writes any more; each folder is looked through once.
    static func sweep(_ folder: String) {
        guard swept.withLock({ $0.insert(folder).inserted }) else { return }
        let names = (try? FileName.contents(ofFolder: folder)) ?? []
        for name in names where name.hasPrefix(prefix) && name.hasSuffix(suffix) { removeIfLeft("\(folder)/\(name)") }
    }

    private static func removeIfLeft(_ name: String) {
        guard let descriptor = try? FileName.with(name, { open($0, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) }),
            descriptor >= 0
        else { return }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            time(nil) - status.st_mtim.tv_sec > youngest, flock(descriptor, LOCK_EX | LOCK_NB) == 0
        else { return }
        remove(name)
    }
}
