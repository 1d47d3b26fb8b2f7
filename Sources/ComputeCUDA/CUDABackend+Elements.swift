import CCUDA
import ComputeSupport
import Tensors

extension CUDABackend {
    /// Rows are read on the host: of a large table, few are ever needed.
    package func gather(_ table: any Weight, _ ids: [Int]) throws -> Tensor {
        guard case .host(let data) = try own(table, "gather").place else {
            throw TensorError.shapeMismatch(
                operation: "gather", expected: "a table", found: table.description.role.shape)
        }
        let width = try data.description.tableWidth(for: ids)
        var values = [Float](repeating: 0, count: ids.count * width)
        if !isCounting {
            try values.withUnsafeMutableBufferPointer { values in
                guard let target = values.baseAddress else { return }
                try data.expandRows(ids, into: target)
            }
        }
        return try upload(values, [ids.count, width])
    }

    package func apply(_ activation: Activation, _ x: Tensor) throws -> Tensor {
        try measured("apply") {
            let y = try empty(x.shape)
            let arguments = cuda_apply(
                x: try address(x, "apply"), y: try address(y, "apply"), count: Int64(x.shape.count),
                activation: activation.arguments)
            try launch(.apply, arguments, elements: x.shape.count)
            return y
        }
    }

    package func combine(_ terms: [(factor: Float, tensor: Tensor)]) throws -> Tensor {
        guard let shape = terms.first?.tensor.shape else {
            throw TensorError.shapeMismatch(operation: "combine", expected: "at least one tensor", found: [])
        }
        return try measured("combine") {
            let y = try empty(shape)
            let most = Int(CUDA_MOST_TERMS)
            for first in stride(from: 0, to: terms.count, by: most) {
                var arguments = cuda_combine()
                arguments.y = try address(y, "combine")
                arguments.count = Int64(shape.count)
                arguments.adds = first > 0 ? 1 : 0
                let some = terms[first..<min(first + most, terms.count)]
                arguments.terms = Int32(some.count)
                let addresses = try some.map { term in
                    try require(term.tensor.shape == shape, "combine", "tensors of shape \(shape)", term.tensor.shape)
                    return try address(term.tensor, "combine")
                }
                withUnsafeMutableBytes(of: &arguments.x) { addresses.withUnsafeBytes($0.copyMemory) }
                withUnsafeMutableBytes(of: &arguments.factors) { some.map(\.factor).withUnsafeBytes($0.copyMemory) }
                try launch(.combine, arguments, elements: shape.count)
            }
            return y
        }
    }

    package func concatenate(_ tensors: [Tensor], axis: Int) throws -> Tensor {
        let shape = try Shape.concatenation(of: tensors.map(\.shape), axis: axis)
        return try measured("concatenate") {
            let y = try empty(shape)
            var target = try address(y, "concatenate")
            for tensor in tensors {
                let run = tensor.shape.runLength(from: axis)
                try copy(
                    runs: tensor.shape.count / max(run, 1), length: run, from: try address(tensor, "concatenate"),
                    stride: run, to: target, stride: shape.runLength(from: axis))
                target += UInt64(run * MemoryLayout<Float>.size)
            }
            return y
        }
    }

    package func rows(_ x: Tensor, _ order: [Int]) throws -> Tensor {
        try x.shape.requireRows(order)
        let (batch, rows, channels) = (x.shape[0], x.shape[1], x.shape[2])
        return try measured("rows") {
            let y = try empty([batch, order.count, channels])
            let places = try stored(order.map { Int32($0) })
            let arguments = cuda_rows(
                x: try address(x, "rows"), order: places.address, y: try address(y, "rows"),
                samples: try int(batch, "rows"), rows: try int(rows, "rows"), count: try int(order.count, "rows"),
                channels: try int(channels, "rows"))
            try launch(.copyRows, arguments, elements: y.shape.count)
            return y
        }
    }

    package func slice(_ x: Tensor, axis: Int, _ range: Range<Int>) throws -> Tensor {
        let shape = try x.shape.slice(axis: axis, range)
        return try measured("slice") {
            let y = try empty(shape)
            let (run, stride) = (shape.runLength(from: axis), x.shape.runLength(from: axis))
            let first = range.lowerBound * (stride / max(x.shape[axis], 1))
            try copy(
                runs: shape.count / max(run, 1), length: run,
                from: try address(x, "slice") + UInt64(first * MemoryLayout<Float>.size), stride: stride,
                to: try address(y, "slice"), stride: run)
            return y
        }
    }

    package func write(_ x: Tensor, into destination: Tensor, at start: Int) throws {
        let (from, to) = (x.shape, destination.shape)
        try to.requireRoom(for: from, at: start)
        try copy(
            runs: from[0], length: from[1] * from[2], from: try address(x, "write"), stride: from[1] * from[2],
            to: try address(destination, "write") + UInt64(start * to[2] * MemoryLayout<Float>.size),
            stride: to[1] * to[2])
    }

    /// Copies runs of floats; strides in floats.
    func copy(
        runs: Int, length: Int, from source: UInt64, stride sourceStride: Int, to target: UInt64,
        stride targetStride: Int
    ) throws {
        let arguments = cuda_copy(
            x: source, y: target, runs: Int64(runs), length: Int64(length), x_stride: Int64(sourceStride),
            y_stride: Int64(targetStride))
        try launch(.copyRuns, arguments, elements: runs * length)
    }
}
