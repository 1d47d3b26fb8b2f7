import Files

/// Makes or replaces the file at `path` in one go.
/// - Parameter body: gets the empty file.
/// - Throws: `AudioError.cannotWrite`, and what `body` throws.
func replaceFile(at path: String, _ body: (AtomicFile) throws -> Void) throws {
    try namingFailures(of: path) {
        let file = try AtomicFile(path: path)
        try body(file)
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
            reason: error.code == 0 ? error.reason + "; choose another name" : systemReason(error.code))
    }
}
