import Checkpoints
import Tensors

/// Some tensors of a source, or shares of them, under other keys.
struct TranslatedSource: CheckpointSource {
    let name: String
    let tensors: [String: TensorHeader]
    private let source: any CheckpointSource
    private let places: [String: Place]

    /// Where a tensor's elements are.
    struct Place: Sendable {
        /// In the source.
        let key: String
        let tensor: KeyTable.Renamed
    }

    /// - Parameter places: by the new key; their keys are in `source`.
    init(_ source: any CheckpointSource, part: String, places: [String: Place]) {
        name = "\(source.name) (\(part))"
        self.source = source
        self.places = places
        tensors = places.compactMapValues { place in
            source.tensors[place.key].map { TensorHeader(type: $0.type, shape: place.tensor.shape) }
        }
    }

    func open(_ key: String) throws -> any SourceTensor {
        guard let place = places[key] else { throw CheckpointError.noSuchTensor(file: name, tensor: key) }
        return SharedTensor(base: try source.open(place.key), shape: place.tensor.shape, first: place.tensor.first)
    }
}

/// Consecutive elements of a tensor as a tensor of their own.
private struct SharedTensor: SourceTensor {
    let base: any SourceTensor
    let shape: Shape
    let first: Int

    var key: String { base.key }
    var location: String { base.location }

    func read(_ range: Range<Int>, into buffer: UnsafeMutableBufferPointer<Float>) throws {
        try base.read(first + range.lowerBound..<first + range.upperBound, into: buffer)
    }
}
