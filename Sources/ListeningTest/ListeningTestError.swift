/// What keeps a listening test from being made or read: one sentence that names the file and what to do.
public enum ListeningTestError: Error, CustomStringConvertible, Sendable, Equatable {
    case options(String)
    case file(path: String, reason: String)

    public var description: String {
        switch self {
        case .options(let what): what
        case .file(let path, let reason): "\(path): \(reason)"
        }
    }
}
