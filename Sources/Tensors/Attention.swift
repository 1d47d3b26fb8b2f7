/// `width` channels from `start` of a `[batch, tokens, channels]` tensor: q, k or v inside a fused projection.
package struct Columns: Sendable {
    package let tensor: Tensor
    package let start: Int
    package let width: Int

    package init(_ tensor: Tensor, from start: Int = 0, width: Int? = nil) {
        self.tensor = tensor
        self.start = start
        self.width = width ?? tensor.shape.last - start
    }
}

/// What an attention reads beside its queries: keys, values, and which of them count.
package struct AttentionContext: Sendable {
    /// `[batch, keys…, heads × headWidth]`; only the first `keyCount` tokens are read.
    package var key: Columns
    package var value: Columns
    package var keyCount: Int
    package var heads: Int
    /// `[batch, keys]`, added to the scores: 0 for tokens, a large negative number for padding.
    package var mask: Tensor?
    /// Whether products may be computed from 8-bit numbers: as the projections around the attention are.
    package var arithmetic: ActivationMode

    package init(
        key: Columns, value: Columns, keyCount: Int? = nil, heads: Int, mask: Tensor? = nil, arithmetic: ActivationMode
    ) {
        self.key = key
        self.value = value
        self.keyCount = keyCount ?? key.tensor.shape[1]
        self.heads = heads
        self.mask = mask
        self.arithmetic = arithmetic
    }
}

/// A context in the form that its backend reads fastest.
package protocol PreparedContext: AnyObject, Sendable {}

/// `softmax(scale · q kᵀ + bias + mask) v` for each head; heads are consecutive slices of the channels.
package struct AttentionInput: Sendable {
    package enum Context: Sendable {
        /// Read once.
        case plain(AttentionContext)
        /// From `Backend.prepare`, for contexts that are read often.
        case prepared(any PreparedContext)
    }

    /// `[batch, queries, heads × headWidth]`
    package var query: Columns
    package var context: Context
    package var scale: Float
    /// Added to the scores. `[heads, queries, keys]`: T5's relative positions. `[count, heads, queries, keys]`: sample `s`
    /// has the one of `s mod count`, for windows that a picture was cut into. Only with `.float` arithmetic.
    package var bias: Tensor?
    /// Query `i` sees keys up to `keyCount − queries + i`. Only with `.float` arithmetic.
    package var causal: Bool

    package init(query: Columns, context: Context, scale: Float, bias: Tensor? = nil, causal: Bool = false) {
        self.query = query
        self.context = context
        self.scale = scale
        self.bias = bias
        self.causal = causal
    }

    package init(
        query: Columns, key: Columns, value: Columns, keyCount: Int? = nil, heads: Int, scale: Float,
        bias: Tensor? = nil, mask: Tensor? = nil, causal: Bool = false, arithmetic: ActivationMode = .float
    ) {
        let context = AttentionContext(
            key: key, value: value, keyCount: keyCount, heads: heads, mask: mask, arithmetic: arithmetic)
        self.init(query: query, context: .plain(context), scale: scale, bias: bias, causal: causal)
    }
}
