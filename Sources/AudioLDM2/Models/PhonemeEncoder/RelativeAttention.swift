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
        let scale = 1 / Float(width / heads).squareRoot()
        guard let relative else {
            let attended = try x.backend.attention(
                AttentionInput(
                    query: Columns(qkv, width: width), key: Columns(qkv, from: width, width: width),
                    value: Columns(qkv, from: 2 * width, width: width), heads: heads, scale: scale))
            return try projectOut(attended, residual: residual)
        }
        let query = try qkv.slice(axis: 2, 0..<width)
        let values = try self.values(qkv.slice(axis: 2, 2 * width..<3 * width))
        let attended = try x.backend.attention(
            AttentionInput(
                query: Columns(query), key: Columns(qkv, from: width, width: width), value: Columns(values),
                heads: heads, scale: scale, bias: bias(query, scale: scale, relative)))
        return try projectOut(combined(attended, relative), residual: residual)
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

    /// Beside each head's values a row of the identity, so that attention tells its weights too:
    /// `[1, tokens, heads × (head width + tokens)]`.
    private func values(_ values: Tensor) throws -> Tensor {
        let (tokens, headWidth) = (values.shape[1], width / heads)
        var identity = [Float](repeating: 0, count: tokens * tokens)
        for token in 0..<tokens { identity[token * tokens + token] = 1 }
        let marks = try values.backend.upload(identity, [1, tokens, tokens])
        return try Tensor.concatenate(
            (0..<heads).flatMap { head in
                [try values.slice(axis: 2, head * headWidth..<(head + 1) * headWidth), marks]
            })
    }

    /// The attended values plus those of the distances: `[1, tokens, width]`.
    private func combined(_ attended: Tensor, _ relative: Relative) throws -> Tensor {
        let (tokens, headWidth) = (attended.shape[1], width / heads)
        let stride = headWidth + tokens
        let heads = try (0..<heads).map { head in
            let part = try attended.slice(axis: 2, head * stride..<(head + 1) * stride)
            let weights = try part.slice(axis: 2, headWidth..<stride).values()
            var byDistance = [Float](repeating: 0, count: tokens * relative.distances)
            for token in 0..<tokens {
                for (key, distance) in neighbours(of: token, tokens, relative) {
                    byDistance[token * relative.distances + distance] = weights[token * tokens + key]
                }
            }
            let distances = try attended.backend.upload(byDistance, [1, tokens, relative.distances])
            return try attended.backend.linear(
                distances, relative.values, Epilogue(residual: part.slice(axis: 2, 0..<headWidth)))
        }
        return try Tensor.concatenate(heads)
    }
}
