import AudioLDM2
import Checkpoints
import Tensors

/// Collects rows, and our tensors in the golden file's order of axes.
package struct Comparison {
    enum Order {
        /// As computed.
        case same
        /// Ours are `[batch, ..., channels]`, the golden file's `[batch, channels, ...]`.
        case channelsFirst
    }

    private(set) var rows: [VerificationReport.Row] = []
    private(set) var computed: [(name: String, shape: Shape, values: [Float])] = []
    private let golden: GoldenFile
    private let tolerances: VerificationTolerances
    private let onRow: (VerificationReport.Row) -> Void

    init(
        golden: GoldenFile, tolerances: VerificationTolerances, onRow: @escaping (VerificationReport.Row) -> Void
    ) {
        (self.golden, self.tolerances, self.onRow) = (golden, tolerances, onRow)
    }

    mutating func compare(
        _ name: String, _ tensor: Tensor, order: Order = .same, fedFrom source: String? = nil
    ) throws {
        let values = try tensor.values()
        switch order {
        case .same:
            try compare(name, tensor.shape, values, fedFrom: source)
        case .channelsFirst:
            let extents = tensor.shape.extents
            let shape = Shape([extents[0], extents[extents.count - 1]] + extents[1..<extents.count - 1])
            try compare(name, shape, ChannelOrder.channelsFirst(values, extents), fedFrom: source)
        }
    }

    mutating func compare(_ name: String, integers: [Int]) throws {
        guard golden.has(name) else { return }
        let expected = try golden.values(name)
        let equal = expected.values == integers.map(Float.init)
        computed.append((name, [1, integers.count], integers.map(Float.init)))
        add(name, relativeError: equal ? 0 : .infinity, tolerance: 0)
    }

    /// - Parameter source: what the tensor was computed from, if not from our own previous stage.
    mutating func compare(_ name: String, _ shape: Shape, _ values: [Float], fedFrom source: String? = nil) throws {
        guard golden.has(name) else { return }
        let expected = try golden.values(name)
        let label = source.map { "\(name) (\($0))" } ?? name
        if source == nil { computed.append((name, shape, values)) }
        let error = shape.count == expected.shape.count ? Self.relativeError(values, expected.values) : .infinity
        add(label, relativeError: error, tolerance: tolerances.tolerance(for: source == nil ? name : label))
    }

    /// A row for every recorded tensor that nothing here computes.
    mutating func addUncomputed() {
        let known = Set(rows.map(\.name))
        for name in golden.names where !known.contains(name) {
            append(.init(name: name, relativeError: nil, tolerance: nil, status: .notComputed))
        }
    }

    private mutating func add(_ name: String, relativeError: Double, tolerance: Double?) {
        let status: VerificationReport.Row.Status =
            tolerance.map { relativeError <= $0 ? .ok : .failed } ?? (relativeError.isFinite ? .stated : .failed)
        append(.init(name: name, relativeError: relativeError, tolerance: tolerance, status: status))
    }

    private mutating func append(_ row: VerificationReport.Row) {
        rows.append(row)
        onRow(row)
    }

    /// ‖a − b‖² and ‖b‖².
    package static func squaredNorms(_ a: [Float], _ b: [Float]) -> (difference: Double, reference: Double) {
        var (difference, reference) = (0.0, 0.0)
        for (x, y) in zip(a, b) {
            difference += (Double(x) - Double(y)) * (Double(x) - Double(y))
            reference += Double(y) * Double(y)
        }
        return (difference, reference)
    }

    /// ‖a − b‖ / ‖b‖, infinite if it is not a number.
    static func relativeError(_ a: [Float], _ b: [Float]) -> Double {
        let (difference, norm) = squaredNorms(a, b)
        let ratio = norm > 0 ? (difference / norm).squareRoot() : difference.squareRoot()
        return ratio.isFinite ? ratio : .infinity
    }
}
