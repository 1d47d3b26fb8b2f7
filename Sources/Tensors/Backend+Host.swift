/// Operations that run on the host, which sees the numbers, unless a backend has something better.
extension Backend {
    package func normalizeChannels(_ x: Tensor, mean: any Weight, deviation: any Weight) throws -> Tensor {
        let (means, deviations) = (try tensor(mean).values(), try tensor(deviation).values())
        let channels = x.shape.last
        try TensorError.require(
            means.count == channels && deviations.count == channels, "normalization", "vectors of \(channels)",
            mean.description.role.shape)
        let values = try x.values().enumerated().map { index, value in
            (value - means[index % channels]) / deviations[index % channels]
        }
        return try upload(values, x.shape)
    }

    package func blend(_ x: Tensor, _ known: Tensor, kept: Tensor) throws -> Tensor {
        try TensorError.requireBlendable(x, known, kept: kept)
        let channels = x.shape.last
        let (kept, known) = (try kept.values(), try known.values())
        let blended = try x.values().enumerated().map { index, value in
            let share = kept[index / channels % kept.count]
            return share == 1 ? known[index] : (1 - share) * value + share * known[index]
        }
        return try upload(blended, x.shape)
    }

    package func pool(_ x: Tensor, _ kind: Pooling, height: Int, width: Int) throws -> Tensor {
        let shape = try TensorError.pooledShape(x.shape, height: height, width: width)
        let (columns, channels) = (x.shape[2], x.shape[3])
        let values = try x.values()
        var pooled: [Float] = []
        pooled.reserveCapacity(shape.count)
        for row in 0..<shape[0] * shape[1] {
            for column in 0..<shape[2] {
                var result = [Float](repeating: kind == .mean ? 0 : -.infinity, count: channels)
                for y in row * height..<(row + 1) * height {
                    for x in column * width..<(column + 1) * width {
                        let start = (y * columns + x) * channels
                        for channel in 0..<channels {
                            let value = values[start + channel]
                            result[channel] =
                                kind == .mean ? result[channel] + value : max(result[channel], value)
                        }
                    }
                }
                let share = 1 / Float(height * width)
                pooled += kind == .mean ? result.map { $0 * share } : result
            }
        }
        return try upload(pooled, shape)
    }

    package func accumulate(_ x: Tensor, factors: Tensor, into sums: Tensor, at start: Int) throws {
        try TensorError.requireAccumulable(x, factors: factors, into: sums, at: start)
        let (rows, total, channels) = (x.shape[1], sums.shape[1], x.shape[2])
        let factors = try factors.values()
        var done = 0
        while done < rows {
            // Up to the last row of the sums, behind which the first one follows.
            let place = (start + done) % total
            let count = min(rows - done, total - place)
            let added = try x.slice(axis: 1, done..<done + count)
            let values = try added.values()
            var piece = try sums.slice(axis: 1, place..<place + count).values()
            for index in piece.indices { piece[index] += factors[done + index / channels % count] * values[index] }
            try write(upload(piece, added.shape), into: sums, at: place)
            done += count
        }
    }

    package func divideRows(_ x: Tensor, by divisors: Tensor) throws -> Tensor {
        try TensorError.requireRowNumbers(divisors, for: x, "division")
        let (channels, numbers) = (x.shape[2], try divisors.values())
        let divided = try x.values().enumerated().map { index, value in
            value / numbers[index / channels % numbers.count]
        }
        return try upload(divided, x.shape)
    }
}

extension TensorError {
    /// - Throws: `TensorError.shapeMismatch`.
    package static func requireBlendable(_ x: Tensor, _ known: Tensor, kept: Tensor) throws {
        try require(known.shape == x.shape && x.shape.rank > 1, "blend", "shape \(x.shape)", known.shape)
        let positions = x.shape.count / max(x.shape[0] * x.shape.last, 1)
        try require(kept.shape == [positions], "blend", "[\(positions)]", kept.shape)
    }

    /// - Throws: `TensorError.shapeMismatch` unless there is a number for each row of `x`.
    package static func requireRowNumbers(_ numbers: Tensor, for x: Tensor, _ operation: String) throws {
        try require(x.shape.rank == 3 && x.shape[2] > 0, operation, "[batch, rows, channels]", x.shape)
        try require(numbers.shape == [x.shape[1]], operation, "[\(x.shape[1])]", numbers.shape)
    }

    /// - Throws: `TensorError.shapeMismatch` unless the rows go with the sums', and `start` is one of these.
    package static func requireAccumulable(_ x: Tensor, factors: Tensor, into sums: Tensor, at start: Int) throws {
        try requireRowNumbers(factors, for: x, "accumulate")
        try require(
            sums.shape.rank == 3 && sums.shape[0] == x.shape[0] && sums.shape[2] == x.shape[2]
                && (0..<sums.shape[1]).contains(start), "accumulate", "sums of \(x.shape) with row \(start)", sums.shape
        )
    }

    /// - Throws: `TensorError.shapeMismatch` for what rectangles do not fill.
    package static func pooledShape(_ shape: Shape, height: Int, width: Int) throws -> Shape {
        try require(
            shape.rank == 4 && height > 0 && width > 0 && shape[1] % height == 0 && shape[2] % width == 0, "pool",
            "multiples of \(height) × \(width)", shape)
        return [shape[0], shape[1] / height, shape[2] / width, shape[3]]
    }
}
