import Glibc

/// A file that takes its name only when it is complete: written without a name, or beside its place where the file system
/// knows only files with one, synced, and put in its place.
///
/// One thread at a time. What was written goes when the object goes, unless `commit` succeeded, and with the process.
package final class AtomicFile {
    /// Creates the partial file and returns a descriptor, or -1 with `errno` set.
    package typealias Opener = (_ path: String) -> Int32

    package let path: String
    /// Of the partial file, open for reading and writing.
    package private(set) var descriptor: Int32
    private let folder: String
    private let destination: String
    /// Nil while it has no name.
    private var partialPath: String?
    private var isTemporary = false

    /// - Parameter opener: for tests of failing devices.
    /// - Throws: `FileError` if the folder is missing or cannot be written to, if the name cannot be one, or if something
    ///   that is not a file has it.
    package init(path: String, opener: Opener? = nil) throws {
        self.path = path
        destination = try Self.destination(of: path)
        folder = FileName.folder(of: destination)
        let partial = PartialFile.name(in: folder)
        if let opener {
            (descriptor, partialPath) = (opener(partial), partial)
            guard descriptor >= 0 else { throw FileError(Self.creation, code: errno) }
        } else {
            PartialFile.sweep(folder)
            let file = try PartialFile.create(in: folder, named: partial)
            (descriptor, partialPath) = (file.descriptor, file.isNamed ? partial : nil)
            if let old = FileName.status(destination) { Self.takeOver(old, descriptor) }
        }
    }

    private init(temporary descriptor: Int32) {
        (self.descriptor, isTemporary) = (descriptor, true)
        path = PartialFile.place(of: descriptor)
        (destination, folder) = (path, FileName.folder(of: path))
    }

    /// A file that never takes a name, in the folder for temporary files; its `path` leads to it while the object is there.
    /// Nothing is left of it whatever ends the process.
    /// - Throws: `FileError` if the folder takes none.
    package static func temporary() throws -> AtomicFile { AtomicFile(temporary: try PartialFile.createTemporary()) }

    static let creation = "create a file in its folder"

    deinit { discard() }

    /// Finds out whether a file could be made and take the place of what is there, without making one.
    /// - Throws: as `init` does; also for what cannot be replaced.
    package static func check(_ path: String) throws {
        let file = try AtomicFile(path: path)
        defer { file.discard() }
        try file.checkReplaceable()
    }

    private func checkReplaceable() throws {
        guard let old = FileName.status(destination) else { return }
        if MountPoints.contain(destination) {
            throw FileError(
                "be replaced", reason: "it is a mount of its own (as containers bind files); choose another name")
        }
        let user = geteuid()
        if user != 0, let parent = FileName.status(folder), parent.st_mode & S_ISVTX != 0, old.st_uid != user,
            parent.st_uid != user
        {
            throw FileError("be replaced", reason: "it is another user's, in a folder where only owners replace files")
        }
        // Where even its owner may not write, as to an immutable file, the system says so of no other mode.
        let descriptor = try FileName.with(destination) { open($0, O_WRONLY | O_CLOEXEC | O_NONBLOCK) }
        if descriptor >= 0 { close(descriptor) } else if errno == EPERM { throw FileError("be replaced", code: EPERM) }
    }

    /// Who may read and write the file that will be replaced may do so with the new one, and nobody else. What the system
    /// does not allow, such as giving it to another owner, is left.
    private static func takeOver(_ old: stat, _ descriptor: Int32) {
        _ = fchown(descriptor, old.st_uid, old.st_gid)
        _ = fchmod(descriptor, old.st_mode & 0o777)
    }

    /// `path` with links followed, so that a link to a file stays one.
    /// - Throws: `FileError` for devices, pipes and folders, which would be replaced by a file, and for names that no file
    ///   can have.
    private static func destination(of path: String) throws -> String {
        var status = stat()
        let code = try FileName.with(path) { stat($0, &status) == 0 ? 0 : errno }
        // What is not there may come to be, under the name that a link has for it.
        guard code != ENOENT else { return try FileName.followed(path) }
        guard code == 0 else { throw FileError(creation, code: code) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw FileError("be replaced", reason: RegularFile.notRegular(status))
        }
        guard let resolved = FileName.resolved(path) else { throw FileError(creation, code: errno) }
        return resolved
    }

    /// Writes all bytes at a place; what is skipped reads as zeros.
    /// - Throws: `FileError`.
    package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
        try Transfer.write(bytes, to: descriptor, at: offset)
    }

    /// - Throws: `FileError`.
    package func truncate(to byteCount: Int) throws {
        guard ftruncate(descriptor, off_t(byteCount)) == 0 else {
            throw FileError("shorten", code: errno, offset: byteCount)
        }
    }

    /// Puts the file in its place, replacing what is there; a temporary one has none.
    /// - Throws: `FileError`; then the place is as it was.
    package func commit() throws {
        guard !isTemporary else { return }
        guard fsync(descriptor) == 0 else { throw FileError("sync", code: errno) }
        do {
            let partial = try partialPath ?? named()
            partialPath = partial
            let closed = close(descriptor)
            descriptor = -1
            guard closed == 0 else { throw FileError("put in place", code: errno) }
            if partial != destination { try Self.rename(partial, destination) }
        } catch {
            if let partialPath, partialPath != destination { PartialFile.remove(partialPath) }
            throw error
        }
        syncFolder()
    }

    /// Gives the file without a name the destination's, or one beside it if that is taken.
    private func named() throws -> String {
        if try PartialFile.link(descriptor, to: destination) { return destination }
        let name = PartialFile.name(in: folder)
        if try PartialFile.link(descriptor, to: name) { return name }
        // A file system that makes such files and cannot name them.
        let copy = try PartialFile.copy(descriptor, to: name)
        close(descriptor)
        descriptor = copy
        return name
    }

    private static func rename(_ old: String, _ new: String) throws {
        let code = try FileName.with(old) { old in
            try FileName.with(new) { new in Glibc.rename(old, new) == 0 ? 0 : errno }
        }
        guard code == 0 else { throw FileError("put in place", code: code) }
    }

    /// Removes the partial file. Does nothing after `commit`.
    package func discard() {
        guard descriptor >= 0 else { return }
        close(descriptor)
        descriptor = -1
        if let partialPath { PartialFile.remove(partialPath) }
    }

    /// Makes the name last. The file is in place and complete already, so a folder that cannot be synced is no error.
    private func syncFolder() {
        guard let descriptor = try? FileName.with(folder, { open($0, O_RDONLY | O_CLOEXEC) }), descriptor >= 0 else {
            return
        }
        fsync(descriptor)
        close(descriptor)
    }
}
