// What operations ask of the shapes that they are given, and what follows from them: the same on every backend.

extension TensorError {
    /// - Throws: `shapeMismatch` unless the condition holds.
    package static func require(
        _ condition: Bool, _ operation: String, _ expected: @autoclosure () -> String, _ found: Shape
    ) throws {
        guard condition else {
            throw TensorError.shapeMismatch(operation: operation, expected: expected(), found: found)
        }
    }
}

extension Backend {
    /// - Throws: `TensorError.shapeMismatch` unless the condition holds.
    package func require(
        _ condition: Bool, _ operation: String, _ expected: @autoclosure () -> String, _ found: Shape
    ) throws {
        try TensorError.require(condition, operation, expected(), found)
    }
}

extension Shape {
    /// Elements from one index of an axis's outer neighbours to the next.
    package func runLength(from axis: Int) -> Int { extents[axis...].reduce(1, *) }

    /// The shape of tensors joined along an axis.
    /// - Throws: `TensorError.shapeMismatch` unless they are alike but for that axis.
    package static func concatenation(of shapes: [Shape], axis: Int) throws -> Shape {
        guard var joined = shapes.first, joined.extents.indices.contains(axis) else {
            throw TensorError.shapeMismatch(operation: "concatenate", expected: "tensors with axis \(axis)", found: [])
        }
        for shape in shapes {
            var alike = shape
            try TensorError.require(alike.rank == joined.rank, "concatenate", "rank \(joined.rank)", alike)
            alike[axis] = joined[axis]
            try TensorError.require(alike == joined, "concatenate", "\(joined) but for axis \(axis)", shape)
        }
        joined[axis] = shapes.reduce(0) { $0 + $1[axis] }
        return joined
    }

    /// The shape of a part of an axis.
    /// - Throws: `TensorError.shapeMismatch` if it does not lie within.
    package func slice(axis: Int, _ range: Range<Int>) throws -> Shape {
        try TensorError.require(
            extents.indices.contains(axis) && range.lowerBound >= 0 && range.upperBound <= self[axis], "slice",
            "axis \(axis) with \(range)", self)
        var shape = self
        shape[axis] = range.count
        return shape
    }

    /// - Throws: `TensorError.shapeMismatch` unless this is `[batch, rows, channels]` with all rows of `order`.
    package func requireRows(_ order: [Int]) throws {
        try TensorError.require(rank == 3, "rows", "[batch, rows, channels]", self)
        if let wrong = order.first(where: { !(0..<self[1]).contains($0) }) {
            throw TensorError.shapeMismatch(operation: "rows", expected: "more than \(wrong) rows", found: self)
        }
    }

    /// - Throws: `TensorError.shapeMismatch` unless `[batch, rows, channels]` fit into this from row `start` on.
    package func requireRoom(for rows: Shape, at start: Int) throws {
        try TensorError.require(
            rows.rank == 3 && rank == 3 && rows[0] == self[0] && rows[2] == self[2] && start >= 0
                && start + rows[1] <= self[1], "write", "room for \(rows) from row \(start)", self)
    }
}

extension Columns {
    /// - Throws: `TensorError.shapeMismatch` unless the columns hold `tokens` tokens of `samples` samples.
    package func require(tokens: Int, samples: Int) throws {
        let shape = tensor.shape
        try TensorError.require(
            shape.rank == 3 && shape[0] == samples && shape[1] >= tokens && start >= 0 && width >= 0
                && start + width <= shape[2], "attention",
            "[\(samples), \(tokens) or more, \(start + width) or more]", shape)
    }
}

/// The sizes of an attention's context, checked.
package struct AttentionExtent: Sendable {
    package let batch: Int
    package let keys: Int
    package let heads: Int
    package let headWidth: Int
    package let arithmetic: ActivationMode

    /// Of queries and results: those of all heads.
    package var channels: Int { heads * headWidth }

    /// - Throws: `TensorError.shapeMismatch` unless keys, values and mask go together; whether the columns are there is
    ///   for `Columns.require`.
    package init(of context: AttentionContext) throws {
        let (shape, key) = (context.key.tensor.shape, context.key)
        (keys, heads, arithmetic) = (context.keyCount, context.heads, context.arithmetic)
        try TensorError.require(
            shape.rank == 3 && heads > 0 && key.width % heads == 0 && keys > 0 && context.value.width == key.width,
            "attention", "keys and values of [batch, tokens, a multiple of \(heads) heads]", shape)
        (batch, headWidth) = (shape[0], key.width / heads)
        if let mask = context.mask {
            try TensorError.require(
                mask.shape == [batch, keys], "attention", "a mask of [\(batch), \(keys)]", mask.shape)
        }
    }

    /// - Returns: how many queries there are, and how many samples have a bias of their own.
    /// - Throws: `TensorError.shapeMismatch` unless queries and bias fit the context.
    package func extent(of input: AttentionInput) throws -> (queries: Int, biases: Int) {
        let shape = input.query.tensor.shape
        try TensorError.require(
            shape.rank == 3 && input.query.width == channels, "attention",
            "queries of [\(batch), tokens, \(channels)]", shape)
        let queries = shape[1]
        let biases = input.bias.map { $0.shape.rank == 4 ? $0.shape[0] : 1 } ?? 1
        if let bias = input.bias {
            try TensorError.require(
                Array(bias.shape.extents.suffix(3)) == [heads, queries, keys] && bias.shape.rank <= 4 && biases > 0,
                "attention", "a bias per head and score", bias.shape)
        }
        try TensorError.require(
            !input.causal || keys >= queries, "attention", "at least as many keys as queries", shape)
        try TensorError.require(
            arithmetic == .float || (input.bias == nil && !input.causal), "attention",
            "float arithmetic for scores with a bias or in order", shape)
        return (queries, biases)
    }
}
