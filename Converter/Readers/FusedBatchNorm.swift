import Checkpoints
import Tensors

/// A view of a checkpoint in which batch normalizations are part of the convolutions before them.
///
/// Of a norm that is a scale and a shift (`FoldedBatchNorm`): outputs of the convolution are multiplied by the scale, and the
/// shift is its bias.
package struct FusedBatchNorm: CheckpointSource {
    package private(set) var tensors: [String: TensorHeader]
    private let source: any CheckpointSource
    /// Keys of the norms' scales by those of the convolutions' weights, and of their shifts by those of biases.
    private var scales: [String: String] = [:]
    private var shifts: [String: String] = [:]

    package var name: String { source.name }

    /// - Parameter pairs: the beginnings of the keys of a convolution without a bias and of its norm, with stars for the same
    ///   characters.
    /// - Throws: `CheckpointError` for a norm of another length than the convolution's outputs.
    package init(_ source: any CheckpointSource, fusing pairs: [(convolution: KeyPattern, norm: KeyPattern)]) throws {
        self.source = source
        tensors = source.tensors
        for (key, header) in source.tensors where key.hasSuffix(".weight") {
            let path = String(key.dropLast(".weight".count))
            for pair in pairs {
                guard let norm = pair.convolution.match(path).map(pair.norm.filled),
                    let scale = source.tensors[norm + ".weight"], let shift = source.tensors[norm + ".bias"]
                else { continue }
                let outputs = header.shape.extents.first ?? 0
                guard scale.shape == [outputs], shift.shape == [outputs], source.tensors[path + ".bias"] == nil else {
                    throw CheckpointError.invalidTensor(
                        file: source.name, tensor: norm + ".weight",
                        reason: "has shape \(scale.shape), which is not one number for each output of \(key.quoted)")
                }
                scales[key] = norm + ".weight"
                shifts[path + ".bias"] = norm + ".bias"
                tensors[path + ".bias"] = shift
                tensors[norm + ".weight"] = nil
                tensors[norm + ".bias"] = nil
            }
        }
    }

    package func open(_ key: String) throws -> any SourceTensor {
        if let shift = shifts[key] { return try source.open(shift) }
        guard let scale = scales[key] else { return try source.open(key) }
        return ScaledTensor(key: key, base: try source.open(key), factors: try source.open(scale).readAll())
    }
}

/// A tensor whose outermost slices are multiplied by a number each.
struct ScaledTensor: SourceTensor {
    let key: String
    let base: any SourceTensor
    /// As many as the outermost axis is long.
    let factors: [Float]

    var location: String { base.location }
    var shape: Shape { base.shape }

    func read(_ range: Range<Int>, into buffer: UnsafeMutableBufferPointer<Float>) throws {
        try base.read(range, into: buffer)
        let slice = max(shape.count / max(factors.count, 1), 1)
        for (index, element) in zip(buffer.indices, range) { buffer[index] *= factors[element / slice] }
    }
}
