import Layers
import Tensors
import WeightFile

/// Phonemes to states: the second text encoder of speech checkpoints.
///
/// The text encoder of VITS (Kim et al. 2021, arXiv 2106.06103) without its projection; transformers `VitsTextEncoder`.
package struct PhonemeEncoder: StateEncoder {
    private let embedding: Embedding
    private let layers: [PhonemeEncoderLayer]
    private let width: Int

    package init(_ config: PhonemeEncoderConfig, _ weights: WeightScope) throws {
        // Six million parameters that run once: nothing to gain from fewer bits.
        let weights = weights["text_encoder"].preferring(.float)
        embedding = try Embedding(config.vocabSize, config.hiddenSize, weights["embed_tokens"])
        layers = try (0..<config.numHiddenLayers).map {
            try PhonemeEncoderLayer(config, weights["encoder.layers"][$0])
        }
        width = config.hiddenSize
    }

    /// The reference computes padding and lets nothing of it through, so it is not computed here.
    ///
    /// - Parameters:
    ///   - ids: of texts of one length, padding included.
    ///   - masks: 1 for tokens, then 0 for padding.
    /// - Returns: `[texts, tokens, hiddenSize]`, zero at padding.
    package func callAsFunction(_ ids: [[Int]], masks: [[Int]], on backend: any Backend) throws -> Tensor {
        try .concatenate(zip(ids, masks).map { try self($0, mask: $1, on: backend) }, axis: 0)
    }

    private func callAsFunction(_ ids: [Int], mask: [Int], on backend: any Backend) throws -> Tensor {
        let count = mask.prefix { $0 != 0 }.count
        let padding = try backend.upload(
            Array(repeating: 0, count: (ids.count - count) * width), [1, ids.count - count, width])
        guard count > 0 else { return padding }
        var x = try Float(width).squareRoot() * embedding(Array(ids.prefix(count)), on: backend)
        for layer in layers { x = try layer(x) }
        return count < ids.count ? try Tensor.concatenate([x, padding], axis: 1) : x
    }
}

/// Attention with relative positions, then a feed-forward layer of two convolutions, each with a norm behind.
package struct PhonemeEncoderLayer: Sendable {
    private let attention: RelativeAttention
    private let attentionNorm: LayerNorm
    private let conv1: Conv1d
    private let conv2: Conv1d
    private let finalNorm: LayerNorm

    package init(_ config: PhonemeEncoderConfig, _ weights: WeightScope) throws {
        let width = config.hiddenSize
        attention = try RelativeAttention(config, weights["attention"])
        attentionNorm = try LayerNorm(width, epsilon: config.layerNormEps, weights["layer_norm"])
        let feedForward = weights["feed_forward"]
        conv1 = try Conv1d(width, config.ffnDim, kernel: config.ffnKernelSize, feedForward["conv_1"])
        conv2 = try Conv1d(config.ffnDim, width, kernel: config.ffnKernelSize, feedForward["conv_2"])
        finalNorm = try LayerNorm(width, epsilon: config.layerNormEps, weights["final_layer_norm"])
    }

    /// `[1, tokens, hiddenSize]` → the same.
    package func callAsFunction(_ x: Tensor) throws -> Tensor {
        let h = try attentionNorm(attention(x, residual: x))
        return try finalNorm(conv2(conv1(h, activation: .relu), residual: h))
    }
}
