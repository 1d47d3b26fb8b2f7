import Layers
import Tensors
import WeightFile

/// Residual block, single-head self-attention over all positions, residual block: the lowest resolution of encoder and
/// decoder.
package struct VAEMiddle: Sendable {
    private let resnet1: ResnetBlock
    private let norm: GroupNorm
    private let attention: SelfAttention
    private let resnet2: ResnetBlock

    package init(_ channels: Int, norm: ResnetBlock.Norm, _ weights: WeightScope) throws {
        resnet1 = try ResnetBlock(channels, channels, norm: norm, weights["resnets.0"])
        let attentionWeights = weights["attentions.0"]
        self.norm = try GroupNorm(
            channels, groups: norm.groups, epsilon: norm.epsilon, attentionWeights["group_norm"])
        attention = try SelfAttention(channels, heads: 1, qkvBias: true, names: .diffusers, attentionWeights)
        resnet2 = try ResnetBlock(channels, channels, norm: norm, weights["resnets.1"])
    }

    package func callAsFunction(_ x: Tensor) throws -> Tensor {
        let x = try resnet1(x)
        let tokens: Shape = [x.shape[0], x.shape[1] * x.shape[2], x.shape[3]]
        let attended = try attention(norm(x).reshaped(tokens), residual: x.reshaped(tokens))
        return try resnet2(attended.reshaped(x.shape))
    }
}
