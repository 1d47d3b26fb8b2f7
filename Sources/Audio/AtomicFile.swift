import Foundation

/// Makes or replaces the file at `path` in one go: `body` writes to a temporary file in the same folder, which then
/// takes the name. Nothing is left behind, and an earlier file stays as it was, if `body` or the system fails.
/// - Parameter body: gets the descriptor of the empty temporary file, open for reading and writing.
/// - Throws: `AudioError.cannotWrite`, and what `body` throws.
func replaceFile(at path: String, _ body: (_ descriptor: Int32) throws -> Void) throws {
    let destination = try writableDestination(path)
    let folder = (destination as NSString).deletingLastPathComponent
    let name = ".audioldm2-\(String(UInt64.random(in: 0...UInt64.max), radix: 36)).tmp"
    let temporary = (folder as NSString).appendingPathComponent(name)
    func check(_ succeeded: Bool) throws {
        guard succeeded else { throw AudioError.cannotWrite(path: path, reason: systemReason(errno)) }
    }

    let descriptor = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    try check(descriptor >= 0)
    defer { close(descriptor) }
    do {
        try body(descriptor)
        try check(fsync(descriptor) == 0)
        try check(rename(temporary, destination) == 0)
    } catch {
        unlink(temporary)
        throw error
    }
}

/// `path` with links followed, so that a link to a file stays one. Devices, pipes and folders are refused: they would be
/// replaced by a file.
func writableDestination(_ path: String) throws -> String {
    var status = stat()
    guard stat(path, &status) == 0 else { return path }
    guard status.st_mode & S_IFMT == S_IFREG else {
        throw AudioError.cannotWrite(path: path, reason: "it exists and is not a file; choose another name")
    }
    guard let resolved = realpath(path, nil) else {
        throw AudioError.cannotWrite(path: path, reason: systemReason(errno))
    }
    defer { free(resolved) }
    return String(cString: resolved)
}
