/// What keeps a listening test from being made or read: one sentence that names the file and what to do.
public enum ListeningTestError: Error, CustomStringConvertible, Sendable, Equatable {
    /// Options, sets or answers that make no test or report: a whole sentence.
    case options(String)
    /// A file that cannot be read, written or understood.
    case file(path: String, reason: String)

    /// One sentence that names the file and what to do.
    public var description: String {
        switch self {
        case .options(let what): what
        case .file(let path, let reason): "\(path): \(reason)"
        }
    }
}
