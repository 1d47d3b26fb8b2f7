/// What keeps sounds from being evaluated: one sentence that names the file or the set and what to do.
public enum EvaluationError: Error, CustomStringConvertible, Sendable, Equatable {
    /// Arrays that do not fit each other.
    case shape(String)
    /// Too few rows, files or pairs for a metric.
    case tooFew(String)
    /// Numbers that are infinite or not numbers.
    case notFinite(String)
    /// Eigenvalues or singular values that the algebra did not find.
    case noConvergence
    /// A set of sounds that cannot be used: an empty folder, names that have no partner.
    case set(String)
    /// Statistics or a cache that cannot be read, or that belong to another judge or protocol.
    case file(path: String, reason: String)

    /// One sentence that names the file or the set and what to do.
    public var description: String {
        switch self {
        case .shape(let what), .tooFew(let what), .notFinite(let what), .set(let what): what
        case .noConvergence: "eigenvalues or singular values were not found: are there numbers of very different size?"
        case .file(let path, let reason): "\(path): \(reason)"
        }
    }
}
