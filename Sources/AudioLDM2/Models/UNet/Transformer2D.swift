import Layers
import Tensors
import WeightFile

/// Self-attention, then attention to a context (or to itself again), then a gated feed-forward layer.
///
/// diffusers `BasicTransformerBlock`; Rombach et al. 2022 (arXiv 2112.10752), appendix E.
struct TransformerBlock: Sendable {
    private enum Second {
        case selfAttention(SelfAttention)
        case crossAttention(CrossAttention, slot: Int, context: Int)
    }

    private let norm1: LayerNorm
    private let attention1: SelfAttention
    private let norm2: LayerNorm
    private let attention2: Second
    private let norm3: LayerNorm
    private let feedForwardIn: GatedLinear
    private let feedForwardOut: Linear

    init(
        _ channels: Int, heads: Int, context: (index: Int, dim: Int)?, slots: UNetSlots, _ weights: WeightScope
    ) throws {
        norm1 = try LayerNorm(channels, weights["norm1"])
        attention1 = try SelfAttention(
            channels, heads: heads, qkvBias: false, names: .diffusers, weights["attn1"])
        norm2 = try LayerNorm(channels, weights["norm2"])
        if let context {
            attention2 = .crossAttention(
                try CrossAttention(channels, contextDim: context.dim, heads: heads, weights["attn2"]),
                slot: slots.attention(context: context.index), context: context.index)
        } else {
            attention2 = .selfAttention(
                try SelfAttention(channels, heads: heads, qkvBias: false, names: .diffusers, weights["attn2"]))
        }
        norm3 = try LayerNorm(channels, weights["norm3"])
        feedForwardIn = try GatedLinear(channels, 4 * channels, gate: .gelu, bias: true, weights["ff.net.0.proj"])
        feedForwardOut = try Linear(4 * channels, channels, weights["ff.net.2"])
    }

    /// Whether it depends on a condition.
    var readsContext: Bool { if case .crossAttention = attention2 { true } else { false } }

    /// `[batch, tokens, channels]` → the same.
    func callAsFunction(_ x: Tensor, _ conditioning: UNetConditioning) throws -> Tensor {
        var x = try attention1(norm1(x), residual: x)
        switch attention2 {
        case .selfAttention(let attention):
            x = try attention(norm2(x), residual: x)
        case .crossAttention(let attention, let slot, let context):
            guard let prepared = conditioning.contexts[slot] else {
                throw TensorError.shapeMismatch(
                    operation: "cross-attention", expected: "keys and values for context \(context)", found: x.shape)
            }
            x = try attention(norm2(x), context: prepared, residual: x)
        }
        return try feedForwardOut(feedForwardIn(norm3(x)), residual: x)
    }

    /// Adds this block's keys and values to `conditioning`, if it reads one of `contexts`.
    func prepare(_ conditioning: inout UNetConditioning, contexts: [Tensor?], masks: [Tensor?]) throws {
        guard case .crossAttention(let attention, let slot, let context) = attention2,
            context < contexts.count, let sequence = contexts[context]
        else { return }
        conditioning.contexts[slot] = try attention.prepare(sequence, mask: masks[context])
    }
}

/// Transformer blocks over the positions of a feature map, which is its own token sequence.
///
/// diffusers `Transformer2DModel` with 1×1 convolutions in and out.
package struct Transformer2D: Sendable {
    private let norm: GroupNorm
    private let projectIn: Conv2d
    let blocks: [TransformerBlock]
    private let projectOut: Conv2d

    package init(
        _ channels: Int, heads: Int, layers: Int, groups: Int, context: (index: Int, dim: Int)?, slots: UNetSlots,
        _ weights: WeightScope
    ) throws {
        norm = try GroupNorm(channels, groups: groups, epsilon: 1e-6, weights["norm"])
        projectIn = try Conv2d(channels, channels, kernel: 1, weights["proj_in"])
        blocks = try (0..<layers).map {
            try TransformerBlock(
                channels, heads: heads, context: context, slots: slots, weights["transformer_blocks"][$0])
        }
        projectOut = try Conv2d(channels, channels, kernel: 1, weights["proj_out"])
    }

    /// `[batch, time, frequency, channels]` → the same.
    package func callAsFunction(_ x: Tensor, _ conditioning: UNetConditioning) throws -> Tensor {
        let tokens: Shape = [x.shape[0], x.shape[1] * x.shape[2], x.shape[3]]
        var h = try projectIn(norm(x)).reshaped(tokens)
        for block in blocks { h = try block(h, conditioning) }
        return try projectOut(h.reshaped(x.shape), residual: x)
    }
}
