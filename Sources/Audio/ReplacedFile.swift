import Files
import Foundation

/// Makes or replaces the file at `path` in one go, as `AtomicFile` does.
/// - Parameter body: gets the descriptor of the empty file, open for reading and writing.
/// - Throws: `AudioError.cannotWrite`, and what `body` throws.
func replaceFile(at path: String, _ body: (_ descriptor: Int32) throws -> Void) throws {
    try namingFailures(of: path) {
        let file = try AtomicFile(path: path)
        try body(file.descriptor)
        try file.commit()
    }
}

/// Makes or replaces the file at `path`, which then holds `data`.
/// - Throws: `AudioError.cannotWrite`.
func replaceFile(at path: String, with data: Data) throws {
    try namingFailures(of: path) {
        let file = try AtomicFile(path: path)
        try data.withUnsafeBytes { try file.write($0, at: 0) }
        try file.commit()
    }
}

/// - Throws: `AudioError.cannotWrite` for every `FileError`.
func namingFailures<Result>(of path: String, _ body: () throws -> Result) throws -> Result {
    do {
        return try body()
    } catch let error as FileError {
        throw AudioError.cannotWrite(
            path: path,
            reason: error.code == 0
                ? "it exists and is not a file; choose another name" : systemReason(error.code))
    }
}
