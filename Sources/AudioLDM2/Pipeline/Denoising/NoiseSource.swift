import Diffusion
import Tensors

/// Normal noise as PyTorch's CPU generator draws it, in channels-last order, for each sound from its own seed.
package struct NoiseSource {
    private var generators: [TorchGenerator]
    private let backend: any Backend

    package init(seeds: [UInt64], on backend: any Backend) {
        generators = seeds.map { TorchGenerator(seed: $0) }
        self.backend = backend
    }

    /// - Parameter shape: `[sounds, time, frequency, channels]`; each sound's numbers are drawn as if it were
    ///   `[1, channels, time, frequency]`.
    package mutating func normal(_ shape: Shape) throws -> Tensor {
        var values: [Float] = []
        for sound in generators.indices {
            let drawn = generators[sound].normal(count: shape.count / generators.count)
            values += ChannelOrder.channelsLast(drawn, [1, shape[3], shape[1], shape[2]])
        }
        return try backend.upload(values, shape)
    }
}

/// Between PyTorch's order of axes and ours.
package enum ChannelOrder {
    /// `[batch, channels, ...]` → `[batch, ..., channels]`; `shape` is the former.
    package static func channelsLast(_ values: [Float], _ shape: [Int]) -> [Float] {
        let positions = shape.dropFirst(2).reduce(1, *)
        return transposed(values, batch: shape[0], rows: shape[1], columns: positions)
    }

    /// `[batch, ..., channels]` → `[batch, channels, ...]`; `shape` is the former.
    package static func channelsFirst(_ values: [Float], _ shape: [Int]) -> [Float] {
        let positions = shape.dropFirst().dropLast().reduce(1, *)
        return transposed(values, batch: shape[0], rows: positions, columns: shape[shape.count - 1])
    }

    private static func transposed(_ values: [Float], batch: Int, rows: Int, columns: Int) -> [Float] {
        [Float](unsafeUninitializedCapacity: values.count) { result, count in
            for sample in 0..<batch {
                let base = sample * rows * columns
                for row in 0..<rows {
                    for column in 0..<columns {
                        result[base + column * rows + row] = values[base + row * columns + column]
                    }
                }
            }
            count = values.count
        }
    }
}
