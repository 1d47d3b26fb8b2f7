import CKernels
import Tensors

extension CPUBackend {
    package func gather(_ table: any Weight, _ ids: [Int]) throws -> Tensor {
        let table = try host(table, "gather")
        let y = try empty([ids.count, try table.description.tableWidth(for: ids)])
        if isCounting { return y }
        let target = try floats(y, "gather")
        try table.data.expandRows(ids, into: target, kernels)
        return y
    }

    package func apply(_ activation: Activation, _ x: Tensor) throws -> Tensor {
        let span = meter.begin("apply")
        defer { meter.end(span) }
        let y = try empty(x.shape)
        let (source, target) = (try floats(x, "apply"), try floats(y, "apply"))
        let (kind, slope) = activation.kernel
        forBlocks(of: x.shape.count, size: 16384) { range, _ in
            kernels.activate(
                source + range.lowerBound, range.count, kind, slope, target + range.lowerBound)
        }
        return y
    }

    package func combine(_ terms: [(factor: Float, tensor: Tensor)]) throws -> Tensor {
        let span = meter.begin("combine")
        defer { meter.end(span) }
        guard let shape = terms.first?.tensor.shape else {
            throw TensorError.shapeMismatch(operation: "combine", expected: "at least one tensor", found: [])
        }
        let sources = try terms.map { term in
            try require(term.tensor.shape == shape, "combine", "tensors of shape \(shape)", term.tensor.shape)
            return (factor: term.factor, values: try floats(term.tensor, "combine"))
        }
        let y = try empty(shape)
        let target = try floats(y, "combine")
        forBlocks(of: shape.count, size: 16384) { range, _ in
            for (index, source) in sources.enumerated() {
                kernels.accumulate(
                    source.values + range.lowerBound, range.count, source.factor, index == 0,
                    target + range.lowerBound)
            }
        }
        return y
    }

    package func concatenate(_ tensors: [Tensor], axis: Int) throws -> Tensor {
        let span = meter.begin("concatenate")
        defer { meter.end(span) }
        guard var shape = tensors.first?.shape, shape.extents.indices.contains(axis) else {
            throw TensorError.shapeMismatch(operation: "concatenate", expected: "tensors with axis \(axis)", found: [])
        }
        for tensor in tensors {
            var alike = tensor.shape
            guard alike.rank == shape.rank else {
                throw TensorError.shapeMismatch(operation: "concatenate", expected: "rank \(shape.rank)", found: alike)
            }
            alike[axis] = shape[axis]
            try require(alike == shape, "concatenate", "\(shape) but for axis \(axis)", tensor.shape)
        }
        shape[axis] = tensors.reduce(0) { $0 + $1.shape[axis] }
        if axis == shape.rank - 1 {
            return deferred(shape, JoinedRows(parts: try tensors.map { try rows(of: $0, "concatenate") }))
        }
        let y = try empty(shape)
        let target = try floats(y, "concatenate")
        let stride = runLength(shape, axis)
        var offset = 0
        for tensor in tensors {
            let source = try floats(tensor, "concatenate")
            let run = runLength(tensor.shape, axis)
            copyRuns(
                count: tensor.shape.count / max(run, 1), length: run, from: source, stride: run,
                to: target + offset, stride: stride)
            offset += run
        }
        return y
    }

    package func rows(_ x: Tensor, _ order: [Int]) throws -> Tensor {
        let span = meter.begin("rows")
        defer { meter.end(span) }
        try require(x.shape.rank == 3, "rows", "[batch, rows, channels]", x.shape)
        let (batch, rows, channels) = (x.shape[0], x.shape[1], x.shape[2])
        if let wrong = order.first(where: { !(0..<rows).contains($0) }) {
            throw TensorError.shapeMismatch(operation: "rows", expected: "more than \(wrong) rows", found: x.shape)
        }
        let y = try empty([batch, order.count, channels])
        let (source, target) = (try floats(x, "rows"), try floats(y, "rows"))
        forBlocks(of: batch * order.count, size: rowsPerTask(channels)) { places, _ in
            for place in places {
                let (sample, index) = place.quotientAndRemainder(dividingBy: order.count)
                (target + place * channels).update(
                    from: source + (sample * rows + order[index]) * channels, count: channels)
            }
        }
        return y
    }

    package func slice(_ x: Tensor, axis: Int, _ range: Range<Int>) throws -> Tensor {
        let span = meter.begin("slice")
        defer { meter.end(span) }
        try require(
            x.shape.extents.indices.contains(axis) && range.lowerBound >= 0 && range.upperBound <= x.shape[axis],
            "slice", "axis \(axis) with \(range)", x.shape)
        var shape = x.shape
        shape[axis] = range.count
        let y = try empty(shape)
        let (source, target) = (try floats(x, "slice"), try floats(y, "slice"))
        let (run, stride) = (runLength(shape, axis), runLength(x.shape, axis))
        let inner = stride / max(x.shape[axis], 1)
        copyRuns(
            count: shape.count / max(run, 1), length: run, from: source + range.lowerBound * inner, stride: stride,
            to: target, stride: run)
        return y
    }

    package func write(_ x: Tensor, into destination: Tensor, at start: Int) throws {
        let (from, to) = (x.shape, destination.shape)
        try require(
            from.rank == 3 && to.rank == 3 && from[0] == to[0] && from[2] == to[2] && start >= 0
                && start + from[1] <= to[1], "write", "room for \(from) from row \(start)", to)
        copyRuns(
            count: from[0], length: from[1] * from[2], from: try floats(x, "write"), stride: from[1] * from[2],
            to: try floats(destination, "write") + start * to[2], stride: to[1] * to[2])
    }

    /// Elements from one index of an axis's outer neighbours to the next.
    private func runLength(_ shape: Shape, _ axis: Int) -> Int { shape.extents[axis...].reduce(1, *) }

    private func copyRuns(
        count: Int, length: Int, from source: UnsafePointer<Float>, stride sourceStride: Int,
        to target: UnsafeMutablePointer<Float>, stride targetStride: Int
    ) {
        forBlocks(of: count, size: rowsPerTask(length)) { runs, _ in
            for run in runs {
                (target + run * targetStride).update(from: source + run * sourceStride, count: length)
            }
        }
    }
}

/// Rows side by side.
private struct JoinedRows: RowSource {
    let parts: [any RowSource]

    var rowCount: Int { parts.first?.rowCount ?? 0 }
    var channels: Int { parts.reduce(0) { $0 + $1.channels } }

    func write(_ rows: Range<Int>, into target: UnsafeMutablePointer<Float>) {
        let stride = channels
        var start = target
        for part in parts {
            let width = part.channels
            part.forEachPiece(of: rows) { piece, values in
                for (index, row) in piece.enumerated() {
                    (start + (row - rows.lowerBound) * stride).update(from: values + index * width, count: width)
                }
            }
            start += width
        }
    }
}
