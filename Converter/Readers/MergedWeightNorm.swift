import Checkpoints
import Tensors

/// A view of a checkpoint in which weight normalization has been carried out.
///
/// A layer `w = g · v / ‖v‖`, the norm taken over each slice of the outermost axis (Salimans & Kingma 2016,
/// arXiv 1602.07868), is stored by PyTorch as `weight_g` and `weight_v`, or since 2.1 as
/// `parametrizations.weight.original0` and `original1`. Here both are one tensor `weight`.
package struct MergedWeightNorm: CheckpointSource {
    package private(set) var tensors: [String: TensorHeader]
    private let source: any CheckpointSource
    /// Keys of `g` and `v` by the key of `weight`.
    private var factors: [String: Factors] = [:]

    private struct Factors {
        let magnitude: String
        let direction: String
    }

    private static let spellings = [
        Factors(magnitude: "weight_g", direction: "weight_v"),
        Factors(magnitude: "parametrizations.weight.original0", direction: "parametrizations.weight.original1"),
    ]

    package var name: String { source.name }

    /// - Throws: `CheckpointError` if a norm is not per slice of the outermost axis.
    package init(_ source: any CheckpointSource) throws {
        self.source = source
        tensors = source.tensors
        for spelling in Self.spellings {
            for key in source.tensors.keys where key.hasSuffix("." + spelling.direction) {
                let prefix = String(key.dropLast(spelling.direction.count))
                try merge(prefix + "weight", Factors(magnitude: prefix + spelling.magnitude, direction: key))
            }
        }
    }

    /// Puts `merged` in the place of its factors, if both are there.
    private mutating func merge(_ merged: String, _ pair: Factors) throws {
        guard let direction = tensors[pair.direction], let magnitude = tensors[pair.magnitude] else { return }
        guard tensors[merged] == nil else {
            throw CheckpointError.invalidTensor(
                file: source.name, tensor: merged, reason: "is there twice: as it is and normalized")
        }
        guard let slices = direction.shape.extents.first, slices > 0, magnitude.shape.extents.first == slices,
            magnitude.shape.count == slices
        else {
            throw CheckpointError.invalidTensor(
                file: source.name, tensor: pair.magnitude,
                reason: "has shape \(magnitude.shape), which is not one norm per row of \(direction.shape)")
        }
        tensors[pair.direction] = nil
        tensors[pair.magnitude] = nil
        tensors[merged] = direction
        factors[merged] = pair
    }

    package func open(_ key: String) throws -> any SourceTensor {
        guard let pair = factors[key] else { return try source.open(key) }
        let (direction, magnitude) = (try source.open(pair.direction), try source.open(pair.magnitude).readAll())
        return try ScaledTensor(key: key, base: direction, factors: Self.factors(direction, magnitude))
    }

    /// `g / ‖v‖` of each slice.
    /// - Parameter magnitude: an element for each outermost slice of `direction`, of which there is at least one.
    private static func factors(_ direction: any SourceTensor, _ magnitude: [Float]) throws -> [Float] {
        let sliceCount = direction.shape.count / magnitude.count
        var slice = [Float](repeating: 0, count: sliceCount)
        return try magnitude.enumerated().map { index, magnitude in
            try slice.withUnsafeMutableBufferPointer {
                try direction.read(index * sliceCount..<(index + 1) * sliceCount, into: $0)
            }
            let norm = slice.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
            return norm == 0 ? 0 : Float(Double(magnitude) / norm)
        }
    }
}
