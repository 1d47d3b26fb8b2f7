import Layers
import Tensors
import WeightFile

/// Self-attention in which a token also sees how far away each of its neighbours is: for each distance up to a window, a
/// learned vector joins the keys and another the values.
///
/// Shaw et al. 2018 (arXiv 1803.02155); transformers `VitsAttention`.
struct RelativeAttention: Sendable {
    private let projectIn: Linear
    private let projectOut: Linear
    private let relative: Relative?
    private let heads: Int
    private let width: Int

    private struct Relative: Sendable {
        let window: Int
        /// `[distances, head width]`, from −window to window.
        let keys: any Weight
        /// The same, transposed.
        let values: any Weight
        var distances: Int { 2 * window + 1 }
    }

    init(_ config: PhonemeEncoderConfig, _ weights: WeightScope) throws {
        (width, heads) = (config.hiddenSize, config.numAttentionHeads)
        let bias = config.useBias ?? true
        projectIn = try Linear(width, 3 * width, bias: bias, weights["qkv"])
        projectOut = try Linear(width, width, bias: bias, weights["out_proj"])
        let headWidth = width / heads
        relative = try config.windowSize.map { window in
            Relative(
                window: window,
                keys: try weights.matrix("emb_rel_k", outputs: 2 * window + 1, inputs: headWidth),
                values: try weights.matrix("emb_rel_v", outputs: headWidth, inputs: 2 * window + 1))
        }
    }

    /// `[1, tokens, width]` → the same.
    func callAsFunction(_ x: Tensor, residual: Tensor) throws -> Tensor {
        let qkv = try projectIn(x)
        var attention = AttentionInput(
            query: Columns(qkv, width: width), key: Columns(qkv, from: width, width: width),
            value: Columns(qkv, from: 2 * width, width: width), heads: heads,
            scale: 1 / Float(width / heads).squareRoot())
        guard let relative else { return try projectOut(x.backend.attention(attention), residual: residual) }
        attention.bias = try bias(qkv.slice(axis: 2, 0..<width), scale: attention.scale, relative)
        let attended = try x.backend.attention(attention)
        let weights = try weights(of: attention, key: Columns(qkv, from: width, width: width), relative)
        return try projectOut(attended + relativeValues(weights, relative), residual: residual)
    }

    /// What the distances add to the scores: `[heads, tokens, tokens]`.
    private func bias(_ query: Tensor, scale: Float, _ relative: Relative) throws -> Tensor {
        let tokens = query.shape[1]
        let rows = try query.reshaped([tokens * heads, width / heads])
        let scores = try query.backend.linear(rows, relative.keys, Epilogue()).values()
        var bias = [Float](repeating: 0, count: heads * tokens * tokens)
        for token in 0..<tokens {
            for head in 0..<heads {
                let row = (token * heads + head) * relative.distances
                for (key, distance) in neighbours(of: token, tokens, relative) {
                    bias[(head * tokens + token) * tokens + key] = scale * scores[row + distance]
                }
            }
        }
        return try query.backend.upload(bias, [heads, tokens, tokens])
    }

    /// The tokens in a token's window, and the index of their distances.
    private func neighbours(of token: Int, _ tokens: Int, _ relative: Relative) -> [(key: Int, distance: Int)] {
        (max(0, token - relative.window)...min(tokens - 1, token + relative.window)).map {
            ($0, $0 - token + relative.window)
        }
    }

    /// How much each token attends to each distance: `[tokens × heads, distances]`.
    ///
    /// Attention tells its weights if the values are marks: as many keys at a time as a head is wide.
    private func weights(of attention: AttentionInput, key: Columns, _ relative: Relative) throws -> Tensor {
        let backend = key.tensor.backend
        let (tokens, headWidth) = (key.tensor.shape[1], width / heads)
        var weights = [Float](repeating: 0, count: tokens * heads * relative.distances)
        for first in stride(from: 0, to: tokens, by: headWidth) {
            let marked = first..<min(first + headWidth, tokens)
            var marks = [Float](repeating: 0, count: tokens * width)
            for key in marked {
                for head in 0..<heads { marks[key * width + head * headWidth + key - first] = 1 }
            }
            let values = Columns(try backend.upload(marks, [1, tokens, width]))
            let seen = try backend.attention(
                AttentionInput(
                    query: attention.query, key: key, value: values, heads: heads, scale: attention.scale,
                    bias: attention.bias)
            ).values()
            for token in 0..<tokens {
                for (key, distance) in neighbours(of: token, tokens, relative) where marked.contains(key) {
                    for head in 0..<heads {
                        weights[(token * heads + head) * relative.distances + distance] =
                            seen[token * width + head * headWidth + key - first]
                    }
                }
            }
        }
        return try backend.upload(weights, [tokens * heads, relative.distances])
    }

    /// What the distances add to the values: `[1, tokens, width]`.
    private func relativeValues(_ weights: Tensor, _ relative: Relative) throws -> Tensor {
        let values = try weights.backend.linear(weights, relative.values, Epilogue())
        return try values.reshaped([1, weights.shape[0] / heads, width])
    }
}
