import Layers
import Tensors
import WeightFile

/// Text to a unit vector in the space that CLAP shares between text and audio.
///
/// RoBERTa (Liu et al. 2019, arXiv 1907.11692) with a projection head (Wu et al. 2022, arXiv 2211.06687);
/// transformers `ClapModel.get_text_features`.
package struct CLAPTextEncoder: Sendable {
    private let wordEmbeddings: Embedding
    private let positionEmbeddings: Embedding
    private let tokenTypeEmbeddings: Embedding
    private let norm: LayerNorm
    private let layers: [RobertaLayer]
    private let pooler: Linear
    private let linear1: Linear
    private let linear2: Linear
    private let firstPosition: Int

    package init(_ config: CLAPConfig, _ weights: WeightScope) throws {
        let text = config.textConfig
        // Encoders run once and have outliers: their inputs stay float.
        let weights = weights.preferring(.weightOnly)
        let model = weights["text_model"]
        let embeddings = model["embeddings"]
        wordEmbeddings = try Embedding(text.vocabSize, text.hiddenSize, embeddings["word_embeddings"])
        positionEmbeddings = try Embedding(
            text.maxPositionEmbeddings, text.hiddenSize, embeddings["position_embeddings"])
        tokenTypeEmbeddings = try Embedding(text.typeVocabSize, text.hiddenSize, embeddings["token_type_embeddings"])
        norm = try LayerNorm(text.hiddenSize, epsilon: text.layerNormEps, embeddings["LayerNorm"])
        layers = try (0..<text.numHiddenLayers).map { try RobertaLayer(text, model["encoder.layer"][$0]) }
        pooler = try Linear(text.hiddenSize, text.hiddenSize, model["pooler.dense"])
        linear1 = try Linear(text.hiddenSize, config.projectionDim, weights["text_projection.linear1"])
        linear2 = try Linear(config.projectionDim, config.projectionDim, weights["text_projection.linear2"])
        firstPosition = text.padTokenId + 1
    }

    /// - Parameter ids: of one text, without padding (which the reference computes and then ignores).
    /// - Returns: `[1, projectionDim]`, of length 1.
    package func callAsFunction(_ ids: [Int], on backend: any Backend) throws -> Tensor {
        let positions = (0..<ids.count).map { firstPosition + $0 }
        let types = Array(repeating: 0, count: ids.count)
        var x = try norm(
            wordEmbeddings(ids, on: backend) + tokenTypeEmbeddings(types, on: backend)
                + positionEmbeddings(positions, on: backend))
        for layer in layers { x = try layer(x) }
        let first = try x.slice(axis: 1, 0..<1).reshaped([1, x.shape.last])
        let pooled = try pooler(first, activation: .tanh)
        return try backend.l2Normalize(linear2(linear1(pooled, activation: .relu)))
    }
}

/// A post-norm transformer layer.
package struct RobertaLayer: Sendable {
    private let attention: SelfAttention
    private let attentionNorm: LayerNorm
    private let intermediate: Linear
    private let output: Linear
    private let outputNorm: LayerNorm

    package init(_ config: CLAPConfig.Text, _ weights: WeightScope) throws {
        attention = try SelfAttention(
            config.hiddenSize, heads: config.numAttentionHeads, qkvBias: true,
            names: .init(qkv: "self.qkv", output: "output.dense"), weights["attention"])
        attentionNorm = try LayerNorm(
            config.hiddenSize, epsilon: config.layerNormEps, weights["attention.output.LayerNorm"])
        intermediate = try Linear(config.hiddenSize, config.intermediateSize, weights["intermediate.dense"])
        output = try Linear(config.intermediateSize, config.hiddenSize, weights["output.dense"])
        outputNorm = try LayerNorm(config.hiddenSize, epsilon: config.layerNormEps, weights["output.LayerNorm"])
    }

    /// `[1, tokens, hidden]` → the same.
    package func callAsFunction(_ x: Tensor) throws -> Tensor {
        let h = try attentionNorm(attention(x, residual: x))
        return try outputNorm(output(intermediate(h, activation: .gelu), residual: h))
    }
}
