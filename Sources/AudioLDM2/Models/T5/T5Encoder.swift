import Layers
import Tensors
import WeightFile

/// The encoder of T5 1.1 / FLAN-T5.
///
/// Raffel et al. 2020 (arXiv 1910.10683), Chung et al. 2022 (arXiv 2210.11416); transformers `T5EncoderModel`.
package struct T5Encoder: StateEncoder {
    private let embedding: Embedding
    private let relativePositions: T5RelativePositions
    private let blocks: [T5Block]
    private let finalNorm: RMSNorm

    package init(_ config: T5Config, _ weights: WeightScope) throws {
        // Encoders run once and have outliers: their inputs stay float.
        let weights = weights.preferring(.weightOnly)
        let encoder = weights["encoder"]
        embedding = try Embedding(config.vocabSize, config.dModel, weights["shared"])
        relativePositions = try T5RelativePositions(
            config, encoder["block.0.layer.0.SelfAttention.relative_attention_bias"])
        blocks = try (0..<config.numLayers).map { try T5Block(config, encoder["block"][$0]["layer"]) }
        finalNorm = try RMSNorm(config.dModel, epsilon: config.layerNormEpsilon, encoder["final_layer_norm"])
    }

    /// - Parameters:
    ///   - ids: of texts of one length, padding included.
    ///   - masks: 1 for tokens, 0 for padding.
    /// - Returns: `[texts, tokens, dModel]`.
    package func callAsFunction(_ ids: [[Int]], masks: [[Int]], on backend: any Backend) throws -> Tensor {
        let (texts, tokens) = (ids.count, ids.first?.count ?? 0)
        let bias = try relativePositions(tokens: tokens, on: backend)
        let mask = try backend.upload(
            masks.joined().map { $0 == 0 ? -Float.greatestFiniteMagnitude : 0 }, [texts, tokens])
        let embedded = try embedding(Array(ids.joined()), on: backend)
        var x = try embedded.reshaped([texts, tokens, embedded.shape.last])
        for block in blocks { x = try block(x, bias: bias, mask: mask) }
        return try finalNorm(x)
    }
}

/// Pre-norm attention without biases or score scaling, then a gated feed-forward layer.
package struct T5Block: Sendable {
    private let attentionNorm: RMSNorm
    private let attention: SelfAttention
    private let feedForwardNorm: RMSNorm
    private let feedForwardIn: GatedLinear
    private let feedForwardOut: Linear

    package init(_ config: T5Config, _ weights: WeightScope) throws {
        attentionNorm = try RMSNorm(config.dModel, epsilon: config.layerNormEpsilon, weights["0.layer_norm"])
        attention = try SelfAttention(
            config.dModel, heads: config.numHeads, innerDim: config.numHeads * config.dKv, scale: 1, qkvBias: false,
            outputBias: false, names: .init(qkv: "qkv", output: "o"), weights["0.SelfAttention"])
        feedForwardNorm = try RMSNorm(config.dModel, epsilon: config.layerNormEpsilon, weights["1.layer_norm"])
        let dense = weights["1.DenseReluDense"]
        feedForwardIn = try GatedLinear(config.dModel, config.dFf, gate: .geluTanh, bias: false, dense["wi"])
        feedForwardOut = try Linear(config.dFf, config.dModel, bias: false, dense["wo"])
    }

    /// `[texts, tokens, dModel]` → the same.
    package func callAsFunction(_ x: Tensor, bias: Tensor, mask: Tensor) throws -> Tensor {
        let h = try attention(attentionNorm(x), bias: bias, mask: mask, residual: x)
        return try feedForwardOut(feedForwardIn(feedForwardNorm(h)), residual: h)
    }
}
