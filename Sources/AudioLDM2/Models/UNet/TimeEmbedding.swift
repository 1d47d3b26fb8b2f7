import Glibc
import Layers
import Tensors
import WeightFile

/// Sinusoids of the timestep through two linear layers.
///
/// Ho et al. 2020 (arXiv 2006.11239); diffusers `Timesteps` and `TimestepEmbedding`.
package struct TimeEmbedding: Sendable {
    private let linear1: Linear
    private let linear2: Linear
    private let channels: Int
    private let cosineFirst: Bool
    private let frequencyShift: Float

    package init(_ config: UNetConfig, _ weights: WeightScope) throws {
        channels = config.blockOutChannels[0]
        cosineFirst = config.flipSinToCos
        frequencyShift = config.freqShift
        let weights = weights.preferring(.float)
        linear1 = try Linear(channels, config.timeEmbedDim, weights["linear_1"])
        linear2 = try Linear(config.timeEmbedDim, config.timeEmbedDim, weights["linear_2"])
    }

    /// `[timesteps, timeEmbedDim]`, after the SiLU that every block applies first.
    package func callAsFunction(_ timesteps: [Float], on backend: any Backend) throws -> Tensor {
        let sinusoids = try backend.upload(timesteps.flatMap(sinusoids), [timesteps.count, channels])
        return try linear2(linear1(sinusoids, activation: .silu), activation: .silu)
    }

    private func sinusoids(_ timestep: Float) -> [Float] {
        let half = channels / 2
        let angles = (0..<half).map { index in
            let exponent = Float(-log(10000.0)) * Float(index) / (Float(half) - frequencyShift)
            return timestep * Glibc.exp(exponent)
        }
        let sines = angles.map { Glibc.sin($0) }
        let cosines = angles.map { Glibc.cos($0) }
        let padding: [Float] = channels % 2 == 1 ? [0] : []
        return (cosineFirst ? cosines + sines : sines + cosines) + padding
    }
}
