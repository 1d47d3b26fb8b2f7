import Tensors
import WeightFile

/// Multi-head self-attention with one fused projection for queries, keys and values.
package struct SelfAttention: Sendable {
    private let projectIn: Linear
    private let projectOut: Linear
    private let heads: Int
    private let innerDim: Int
    private let scale: Float

    /// Names of the fused projection and of the output projection below `weights`.
    package struct Names: Sendable {
        package let qkv: String
        package let output: String
        package init(qkv: String, output: String) { (self.qkv, self.output) = (qkv, output) }
        /// diffusers' attention module.
        package static let diffusers = Names(qkv: "to_qkv", output: "to_out.0")
    }

    /// - Parameters:
    ///   - innerDim: `heads × head width`; `channels` unless given.
    ///   - scale: of the scores; `1 / √(head width)` unless given.
    package init(
        _ channels: Int, heads: Int, innerDim: Int? = nil, scale: Float? = nil, qkvBias: Bool, outputBias: Bool = true,
        names: Names, _ weights: WeightScope
    ) throws {
        let innerDim = innerDim ?? channels
        projectIn = try Linear(channels, 3 * innerDim, bias: qkvBias, weights[names.qkv])
        projectOut = try Linear(innerDim, channels, bias: outputBias, weights[names.output])
        self.heads = heads
        self.innerDim = innerDim
        self.scale = scale ?? 1 / Float(innerDim / heads).squareRoot()
    }

    /// - Parameters:
    ///   - x: `[batch, tokens, channels]`.
    ///   - bias: `[heads, tokens, tokens]`, mask: `[batch, tokens]`, both added to the scores.
    ///   - cache: earlier tokens' keys and values; implies that attention is causal.
    ///   - residual: added to the result.
    package func callAsFunction(
        _ x: Tensor, bias: Tensor? = nil, mask: Tensor? = nil, cache: KeyValueCache? = nil, residual: Tensor? = nil
    ) throws -> Tensor {
        let qkv = try projectIn(x)
        let query = Columns(qkv, from: 0, width: innerDim)
        var key = Columns(qkv, from: innerDim, width: innerDim)
        var value = Columns(qkv, from: 2 * innerDim, width: innerDim)
        var keyCount = x.shape[1]
        if let cache {
            keyCount = try cache.append(qkv.slice(axis: 2, innerDim..<3 * innerDim))
            key = Columns(cache.tensor, from: 0, width: innerDim)
            value = Columns(cache.tensor, from: innerDim, width: innerDim)
        }
        let attended = try x.backend.attention(
            AttentionInput(
                query: query, key: key, value: value, keyCount: keyCount, heads: heads, scale: scale, bias: bias,
                mask: mask, causal: cache != nil,
                arithmetic: bias == nil && cache == nil ? projectIn.arithmetic : .float))
        return try projectOut(attended, residual: residual)
    }
}

/// Multi-head attention to another sequence, whose keys and values are computed once and used at every step.
package struct CrossAttention: Sendable {
    private let projectQuery: Linear
    private let projectKeyValue: Linear
    private let projectOut: Linear
    private let heads: Int
    private let scale: Float

    package init(_ channels: Int, contextDim: Int, heads: Int, _ weights: WeightScope) throws {
        projectQuery = try Linear(channels, channels, bias: false, weights["to_q"])
        projectKeyValue = try Linear(contextDim, 2 * channels, bias: false, weights["to_kv"])
        projectOut = try Linear(channels, channels, weights["to_out.0"])
        self.heads = heads
        scale = 1 / Float(channels / heads).squareRoot()
    }

    /// Keys and values of `context`, `[batch, tokens, contextDim]`, ready for attention.
    /// - Parameter mask: `[batch, tokens]`, added to the scores.
    package func prepare(_ context: Tensor, mask: Tensor?) throws -> any PreparedContext {
        let keysAndValues = try projectKeyValue(context)
        let channels = keysAndValues.shape.last / 2
        return try context.backend.prepare(
            AttentionContext(
                key: Columns(keysAndValues, from: 0, width: channels),
                value: Columns(keysAndValues, from: channels, width: channels), heads: heads, mask: mask,
                arithmetic: projectKeyValue.arithmetic))
    }

    /// - Parameter context: from `prepare(_:mask:)`.
    package func callAsFunction(_ x: Tensor, context: any PreparedContext, residual: Tensor? = nil) throws -> Tensor {
        let attended = try x.backend.attention(
            AttentionInput(query: Columns(projectQuery(x)), context: .prepared(context), scale: scale))
        return try projectOut(attended, residual: residual)
    }
}

/// Keys and values of the tokens seen so far, in one `[batch, capacity, 2 × innerDim]` tensor.
package final class KeyValueCache {
    let tensor: Tensor
    private var count = 0

    package init(batch: Int = 1, capacity: Int, innerDim: Int, on backend: any Backend) throws {
        tensor = try backend.empty([batch, capacity, 2 * innerDim])
    }

    /// Appends keys and values of new tokens; returns how many there are now.
    func append(_ keysAndValues: Tensor) throws -> Int {
        try tensor.backend.write(keysAndValues, into: tensor, at: count)
        count += keysAndValues.shape[1]
        return count
    }
}
