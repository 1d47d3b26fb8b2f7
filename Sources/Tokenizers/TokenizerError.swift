import Files

/// What can be wrong with a tokenizer's files or with its stored form.
package enum TokenizerError: Error, CustomStringConvertible, Sendable, Equatable {
    /// A folder holds none of the forms that would do.
    case missingFiles(folder: String, expected: String)
    case unreadable(file: String, reason: String)
    /// A file that was not fetched with its repository.
    case pointer(file: String)
    /// A file departs from its format at a byte.
    case malformed(file: String, offset: Int, reason: String)
    /// A file is in its format, but a field is missing, of the wrong type, or has a value that cannot be used.
    case invalidField(file: String, field: String, reason: String)

    package var description: String {
        switch self {
        case .missingFiles(let folder, let expected):
            "\(folder): no tokenizer here; expected \(expected)"
        case .unreadable(let file, let reason):
            "\(file): cannot be read: \(reason)"
        case .pointer(let file):
            "\(file): \(GitPointer.message)"
        case .malformed(let file, let offset, let reason):
            "\(file): damaged or not a tokenizer file (byte \(offset): \(reason)); fetch it again"
        case .invalidField(let file, let field, let reason):
            "\(file): \(field): \(reason)"
        }
    }
}
