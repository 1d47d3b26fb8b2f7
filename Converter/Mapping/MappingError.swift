import Checkpoints
import Tensors

/// A checkpoint that does not hold what its model asks for.
package enum MappingError: Error, CustomStringConvertible, Sendable, Equatable {
    case unknownClass(file: String, className: String)
    /// Keys that the model needs and the file lacks, and keys that the file has and nothing knows.
    case mismatch(file: String, missing: [String], unknown: [String])
    /// Tensors whose shapes do not make the weight at `path`.
    case wrongShape(file: String, keys: [String], shapes: [Shape], path: String, role: WeightRole)

    package var description: String {
        switch self {
        case .unknownClass(let file, let className):
            return "\(file): components of class \(className.quoted) are not supported"
        case .mismatch(let file, let missing, let unknown):
            let parts = [
                missing.isEmpty ? nil : "\(Self.count(missing)) that the model needs missing: \(Self.list(missing))",
                unknown.isEmpty ? nil : "\(Self.count(unknown)) of no known use: \(Self.list(unknown))",
            ]
            return "\(file): " + parts.compactMap(\.self).joined(separator: "; ")
                + "; check that config.json and the weights are of one checkpoint"
        case .wrongShape(let file, let keys, let shapes, let path, let role):
            let found = zip(keys, shapes).map { "\($0.quoted) has shape \($1)" }.joined(separator: ", ")
            let joined = keys.count > 1 ? " joined to \(path.quoted)" : ""
            return "\(file): tensor \(found), but the model's config.json needs \(role.referenceShape)\(joined)"
        }
    }

    private static func count(_ keys: [String]) -> String { keys.count == 1 ? "1 tensor" : "\(keys.count) tensors" }

    private static func list(_ keys: [String]) -> String {
        let shown = 8
        let first = keys.prefix(shown).map(\.quoted).joined(separator: ", ")
        return keys.count > shown ? "\(first) and \(keys.count - shown) more" : first
    }
}
