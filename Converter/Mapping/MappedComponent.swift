import Checkpoints
import Tensors

/// A component of a checkpoint, seen as the weights that its model asks for.
package struct MappedComponent: Sendable {
    private let source: any CheckpointSource
    private let plans: [String: Plan]

    /// Which tensors make a weight, in order.
    private struct Plan {
        let role: WeightRole
        let parts: [Part]
    }

    /// Copies of a vector that a weight may be made of: as many as a vocoder's highest upsampling rate.
    private static let mostCopies = 64

    private struct Part {
        let key: String
        let arrangement: StoredArrangement
        let rows: Int
    }

    /// - Parameters:
    ///   - modelName: a class of `model_index.json`, or one of its parts: `CheckpointPart.modelName`.
    ///   - weights: what the model asks for, by path.
    /// - Throws: `MappingError` if the checkpoint holds less, more or something else; `CheckpointError`.
    package init(_ modelName: String, weights: [String: WeightRole], source: any CheckpointSource) throws {
        guard let mapping = ComponentMapping.named(modelName) else {
            throw MappingError.unknownClass(file: source.name, className: modelName)
        }
        let source = RenamedSource(
            try FusedBatchNorm(
                FoldedBatchNorm(MergedWeightNorm(source), as: mapping.normForm), fusing: mapping.fusedNorms),
            mapping: mapping)
        var missing: [String] = []
        var unused = Set(source.tensors.keys)
        var plans: [String: Plan] = [:]
        for (path, role) in weights.sorted(by: { $0.key < $1.key }) {
            let keys = mapping.keys(for: path)
            unused.subtract(keys)
            let absent = keys.filter { source.tensors[$0] == nil }
            missing += absent
            if absent.isEmpty { plans[path] = try Self.plan(path, role, keys: keys, source: source, mapping: mapping) }
        }
        let unknown = unused.filter { key in !mapping.leftovers.contains { $0.matches(key) } }
        guard missing.isEmpty, unknown.isEmpty else {
            throw MappingError.mismatch(file: source.name, missing: missing.sorted(), unknown: unknown.sorted())
        }
        self.source = source
        self.plans = plans
    }

    private static func plan(
        _ path: String, _ role: WeightRole, keys: [String], source: any CheckpointSource, mapping: ComponentMapping
    ) throws -> Plan {
        let shapes = keys.compactMap { source.tensors[$0]?.shape }
        let isTransposed = mapping.transposed.contains { $0.matches(path) }
        var parts: [Part] = []
        for (key, shape) in zip(keys, shapes) {
            guard let (arrangement, rows) = StoredArrangement.find(shape, for: role, isTransposed: isTransposed) else {
                break
            }
            parts.append(Part(key: key, arrangement: arrangement, rows: rows))
        }
        if mapping.repeated.contains(where: { $0.matches(path) }), let part = parts.first, part.rows > 0 {
            // Of more the rows below are too few.
            parts = Array(repeating: part, count: min(role.outputs / part.rows, mostCopies))
        }
        // Cannot overflow: each part's rows are in the file, and none is empty.
        let rows = parts.reduce(0) { $0 + $1.rows }
        guard !parts.isEmpty, parts.count >= keys.count, rows == role.outputs else {
            throw MappingError.wrongShape(file: source.name, keys: keys, shapes: shapes, path: path, role: role)
        }
        return Plan(role: role, parts: parts)
    }

    /// Bytes in the checkpoint of all weights that were asked for.
    package var byteCount: Int { plans.keys.reduce(0) { $0 + byteCount(of: $1) } }

    /// Bytes in the checkpoint of a weight that was asked for.
    package func byteCount(of path: String) -> Int {
        Set(plans[path]?.parts.map(\.key) ?? []).reduce(0) { $0 + (source.tensors[$1]?.byteCount ?? 0) }
    }

    /// File and keys of a weight that was asked for, for messages.
    package func location(of path: String) -> String {
        let keys = plans[path]?.parts.reduce(into: [String]()) { if $0.last != $1.key { $0.append($1.key) } } ?? [path]
        return "\(source.name): tensor \(keys.map(\.quoted).joined(separator: ", "))"
    }

    /// Starts reading a weight that was asked for.
    package func open(_ path: String) throws -> any RowReader {
        guard let plan = plans[path] else { throw CheckpointError.noSuchTensor(file: source.name, tensor: path) }
        let width = plan.role.rowWidth
        let parts = try plan.parts.map { part in
            try part.arrangement.rows(of: source.open(part.key), count: part.rows, width: width)
        }
        return parts.count == 1 ? parts[0] : JoinedRows(parts)
    }
}

extension ComponentMapping {
    /// The checkpoint keys that make the weight at `path`, in order.
    func keys(for path: String) -> [String] {
        let elements = path.split(separator: ".").map(String.init)
        guard let index = elements.lastIndex(where: { fusions[$0] != nil }), let parts = fusions[elements[index]] else {
            return [path]
        }
        return parts.map { part in
            var elements = elements
            elements[index] = part
            return elements.joined(separator: ".")
        }
    }
}
