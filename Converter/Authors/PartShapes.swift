import Checkpoints
import Tensors

/// The shapes of one part of the authors' file, from which its configuration is read.
struct PartShapes: Sendable {
    let source: any CheckpointSource
    /// What its keys start with.
    let prefix: String

    func has(_ key: String) -> Bool { source.tensors[prefix + key] != nil }

    /// The extent of an axis.
    /// - Throws: `CheckpointError` if there is no such tensor, or it has fewer axes.
    func extent(_ key: String, _ axis: Int) throws -> Int {
        // A weight may still be in its normalized form, whose direction has the weight's shape.
        guard let shape = (source.tensors[prefix + key] ?? source.tensors["\(prefix)\(key)_v"])?.shape else {
            throw CheckpointError.noSuchTensor(file: source.name, tensor: prefix + key)
        }
        // More than any model has, and little enough to reckon with.
        guard axis < shape.rank, (1...1 << 24).contains(shape[axis]) else {
            throw CheckpointError.invalidTensor(
                file: source.name, tensor: prefix + key, reason: "has the unexpected shape \(shape)")
        }
        return shape[axis]
    }

    /// How many of `key(0)`, `key(1)`, … are there.
    func count(_ key: (Int) -> String) -> Int { (0...).first { !has(key($0)) } ?? 0 }
}
