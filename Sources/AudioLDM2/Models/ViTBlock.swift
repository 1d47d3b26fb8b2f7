import Layers
import Tensors
import WeightFile

/// A pre-norm transformer layer. Dosovitskiy et al. 2020 (arXiv 2010.11929); timm `Block`.
package struct ViTBlock: Sendable {
    private let norm1: LayerNorm
    private let attention: SelfAttention
    private let norm2: LayerNorm
    private let feedForwardIn: Linear
    private let feedForwardOut: Linear

    /// - Parameter inner: width of the feed-forward layer.
    package init(_ width: Int, heads: Int, inner: Int, epsilon: Float, _ weights: WeightScope) throws {
        norm1 = try LayerNorm(width, epsilon: epsilon, weights["norm1"])
        attention = try SelfAttention(
            width, heads: heads, qkvBias: true, names: .init(qkv: "qkv", output: "proj"),
            weights["attn"])
        norm2 = try LayerNorm(width, epsilon: epsilon, weights["norm2"])
        feedForwardIn = try Linear(width, inner, weights["mlp.fc1"])
        feedForwardOut = try Linear(inner, width, weights["mlp.fc2"])
    }

    /// `[1, tokens, width]` → the same.
    package func callAsFunction(_ x: Tensor) throws -> Tensor {
        let h = try attention(norm1(x), residual: x)
        return try feedForwardOut(feedForwardIn(norm2(h), activation: .gelu), residual: h)
    }
}
