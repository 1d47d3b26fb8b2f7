import Layers
import Tensors
import WeightFile

/// Continues a sequence of vectors: each new vector is the last hidden state, fed back as the next input.
///
/// Radford et al. 2019 as used in arXiv 2308.05734, section III-B; diffusers
/// `AudioLDM2Pipeline.generate_language_model`.
package struct GPT2: Sendable {
    private let positions: Embedding
    private let blocks: [GPT2Block]
    private let finalNorm: LayerNorm
    private let channels: Int
    private let maxPositions: Int

    package init(_ config: GPT2Config, _ weights: WeightScope) throws {
        let weights = weights["transformer"].preferring(.weightOnly)
        positions = try Embedding(config.nPositions, config.nEmbd, weights["wpe"])
        blocks = try (0..<config.nLayer).map { try GPT2Block(config, weights["h"][$0]) }
        finalNorm = try LayerNorm(config.nEmbd, epsilon: config.layerNormEpsilon, weights["ln_f"])
        channels = config.nEmbd
        maxPositions = config.nPositions
    }

    /// - Parameters:
    ///   - inputs: `[sequences, tokens, nEmbd]`.
    ///   - masks: for each, 1 for tokens, 0 for padding (which still counts as a position).
    ///   - count: vectors to generate.
    /// - Returns: `[sequences, count, nEmbd]`.
    package func generate(from inputs: Tensor, masks: [[Int]], count: Int) throws -> Tensor {
        let backend = inputs.backend
        let (sequences, prefix) = (inputs.shape[0], inputs.shape[1])
        let capacity = prefix + count
        guard capacity - 1 <= maxPositions else {
            throw TensorError.shapeMismatch(
                operation: "language model", expected: "at most \(maxPositions) positions, \(count) of them new",
                found: inputs.shape)
        }
        let caches = try blocks.map { _ in
            try KeyValueCache(batch: sequences, capacity: capacity, innerDim: channels, on: backend)
        }

        var generated: [Tensor] = []
        var next = inputs
        var seen = 0
        for _ in 0..<count {
            let range = seen..<seen + next.shape[1]
            seen = range.upperBound
            let masked = masks.flatMap { mask in
                mask.map { $0 == 0 ? -Float.greatestFiniteMagnitude : 0 }
                    + Array(repeating: 0, count: seen - mask.count)
            }
            let mask = try backend.upload(masked, [sequences, seen])
            let places = Array(repeatElement(Array(range), count: sequences).joined())
            var x = try next + positions(places, on: backend).reshaped(next.shape)
            for (block, cache) in zip(blocks, caches) { x = try block(x, mask: mask, cache: cache) }
            let last = try x.slice(axis: 1, x.shape[1] - 1..<x.shape[1])
            next = try finalNorm(last)
            generated.append(next)
        }
        return try Tensor.concatenate(generated, axis: 1)
    }
}

/// A pre-norm transformer layer with causal attention.
package struct GPT2Block: Sendable {
    private let norm1: LayerNorm
    private let attention: SelfAttention
    private let norm2: LayerNorm
    private let feedForwardIn: Linear
    private let feedForwardOut: Linear

    package init(_ config: GPT2Config, _ weights: WeightScope) throws {
        let inner = config.nInner ?? 4 * config.nEmbd
        norm1 = try LayerNorm(config.nEmbd, epsilon: config.layerNormEpsilon, weights["ln_1"])
        attention = try SelfAttention(
            config.nEmbd, heads: config.nHead, qkvBias: true, names: .init(qkv: "c_attn", output: "c_proj"),
            weights["attn"])
        norm2 = try LayerNorm(config.nEmbd, epsilon: config.layerNormEpsilon, weights["ln_2"])
        feedForwardIn = try Linear(config.nEmbd, inner, weights["mlp.c_fc"])
        feedForwardOut = try Linear(inner, config.nEmbd, weights["mlp.c_proj"])
    }

    /// `[sequences, tokens, nEmbd]` → the same.
    package func callAsFunction(_ x: Tensor, mask: Tensor, cache: KeyValueCache) throws -> Tensor {
        let h = try attention(norm1(x), mask: mask, cache: cache, residual: x)
        return try feedForwardOut(feedForwardIn(norm2(h), activation: .geluTanh), residual: h)
    }
}
