import Tensors
import WeightFile

/// Group normalization (Wu & He 2018, arXiv 1803.08494) over `[batch, ..., channels]`, with an activation in the same
/// pass.
package struct GroupNorm: Sendable {
    private let scale: any Weight
    private let shift: any Weight
    private let groups: Int
    private let epsilon: Float
    private let activation: Activation

    package init(
        _ channels: Int, groups: Int, epsilon: Float, activation: Activation = .none, _ weights: WeightScope
    ) throws {
        scale = try weights.vector("weight", channels)
        shift = try weights.vector("bias", channels)
        (self.groups, self.epsilon, self.activation) = (groups, epsilon, activation)
    }

    package func callAsFunction(_ x: Tensor) throws -> Tensor {
        try x.backend.groupNorm(
            x, groups: groups, epsilon: epsilon, scale: scale, shift: shift, activation: activation)
    }
}

/// Layer normalization over the channels.
package struct LayerNorm: Sendable {
    private let scale: any Weight
    private let shift: any Weight
    private let epsilon: Float

    package init(_ channels: Int, epsilon: Float = 1e-5, _ weights: WeightScope) throws {
        scale = try weights.vector("weight", channels)
        shift = try weights.vector("bias", channels)
        self.epsilon = epsilon
    }

    package func callAsFunction(_ x: Tensor) throws -> Tensor {
        try x.backend.layerNorm(x, epsilon: epsilon, scale: scale, shift: shift)
    }
}

/// Root-mean-square normalization over the channels (T5's layer norm: no mean, no shift).
package struct RMSNorm: Sendable {
    private let scale: any Weight
    private let epsilon: Float

    package init(_ channels: Int, epsilon: Float, _ weights: WeightScope) throws {
        scale = try weights.vector("weight", channels)
        self.epsilon = epsilon
    }

    package func callAsFunction(_ x: Tensor) throws -> Tensor {
        try x.backend.rmsNorm(x, epsilon: epsilon, scale: scale)
    }
}

/// Batch normalization (Ioffe & Szegedy 2015, arXiv 1502.03167) as it works after training, where no product before it could
/// take it in: `(x − mean) / deviation` by channel, with its scale and shift in both.
package struct BatchNorm: Sendable {
    private let mean: any Weight
    private let deviation: any Weight

    package init(_ channels: Int, _ weights: WeightScope) throws {
        mean = try weights.vector("mean", channels)
        deviation = try weights.vector("deviation", channels)
    }

    package func callAsFunction(_ x: Tensor) throws -> Tensor {
        try x.backend.normalizeChannels(x, mean: mean, deviation: deviation)
    }
}
