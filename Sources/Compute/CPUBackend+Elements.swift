import CKernels
import ComputeSupport
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
        let shape = try Shape.concatenation(of: tensors.map(\.shape), axis: axis)
        if axis == shape.rank - 1 {
            return deferred(shape, JoinedRows(parts: try tensors.map { try rows(of: $0, "concatenate") }))
        }
        let y = try empty(shape)
        let target = try floats(y, "concatenate")
        let stride = shape.runLength(from: axis)
        var offset = 0
        for tensor in tensors {
            let source = try floats(tensor, "concatenate")
            let run = tensor.shape.runLength(from: axis)
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
        try x.shape.requireRows(order)
        let (batch, rows, channels) = (x.shape[0], x.shape[1], x.shape[2])
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
        let shape = try x.shape.slice(axis: axis, range)
        let y = try empty(shape)
        let (source, target) = (try floats(x, "slice"), try floats(y, "slice"))
        let (run, stride) = (shape.runLength(from: axis), x.shape.runLength(from: axis))
        let inner = stride / max(x.shape[axis], 1)
        copyRuns(
            count: shape.count / max(run, 1), length: run, from: source + range.lowerBound * inner, stride: stride,
            to: target, stride: run)
        return y
    }

    package func write(_ x: Tensor, into destination: Tensor, at start: Int) throws {
        let (from, to) = (x.shape, destination.shape)
        try to.requireRoom(for: from, at: start)
        copyRuns(
            count: from[0], length: from[1] * from[2], from: try floats(x, "write"), stride: from[1] * from[2],
            to: try floats(destination, "write") + start * to[2], stride: to[1] * to[2])
    }

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
