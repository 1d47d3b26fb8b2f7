import CKernels
import Foundation
import Tensors

extension CPUBackend {
    package func layerNorm(_ x: Tensor, epsilon: Float, scale: any Weight, shift: any Weight) throws -> Tensor {
        try withVectors(scale, shift, x, "layerNorm") { scale, shift, x, y, channels, row in
            kernels.layer_norm(x + row * channels, channels, epsilon, scale, shift, y + row * channels)
        }
    }

    package func rmsNorm(_ x: Tensor, epsilon: Float, scale: any Weight) throws -> Tensor {
        try withVectors(scale, scale, x, "rmsNorm") { scale, _, x, y, channels, row in
            kernels.rms_norm(x + row * channels, channels, epsilon, scale, y + row * channels)
        }
    }

    package func l2Normalize(_ x: Tensor) throws -> Tensor {
        let channels = x.shape.last
        var values = try download(x)
        for row in 0..<x.shape.rows {
            let range = row * channels..<(row + 1) * channels
            let squares = values[range].reduce(0.0) { $0 + Double($1) * Double($1) }
            let factor = Float(1 / max(squares.squareRoot(), 1e-12))
            for index in range { values[index] *= factor }
        }
        return try upload(values, x.shape)
    }

    package func groupNorm(
        _ x: Tensor, groups: Int, epsilon: Float, scale: any Weight, shift: any Weight, activation: Activation
    ) throws -> Tensor {
        let span = meter.begin("groupNorm")
        defer { meter.end(span) }
        let channels = x.shape.last
        try require(
            x.shape.rank >= 2 && groups > 0 && channels % groups == 0, "groupNorm", "a multiple of \(groups) channels",
            x.shape)
        let (scale, shift) = (try host(scale, "groupNorm"), try host(shift, "groupNorm"))
        try require(
            scale.description.role.shape == [channels] && shift.description.role.shape == [channels], "groupNorm",
            "scale and shift of \(channels)", scale.description.role.shape)
        let y = try empty(x.shape)
        let (source, target) = (try floats(x, "groupNorm"), try floats(y, "groupNorm"))
        let samples = max(x.shape[0], 1)
        let rows = x.shape.rows / samples
        let moments = GroupMoments(samples: samples, rows: rows, channels: channels, groups: groups)
        let factors = try moments.factors(
            source, epsilon: epsilon, scale: scale.vector(), shift: shift.vector(), on: self)
        let block = rowsPerTask(channels)
        let blocks = (rows + block - 1) / block
        let kind = activation.kernel.kind
        factors.withUnsafeBufferPointer { factors in
            guard let factors = factors.baseAddress else { return }
            threads.run(samples * blocks) { task, _ in
                let (sample, index) = task.quotientAndRemainder(dividingBy: blocks)
                let first = index * block
                let offset = (sample * rows + first) * channels
                let ofSample = factors + sample * 2 * channels
                kernels.scale_shift(
                    source + offset, min(block, rows - first), channels, ofSample, ofSample + channels, kind,
                    target + offset)
            }
        }
        return y
    }

    /// Runs `body` for every row of `x` with two vectors of its width.
    private func withVectors(
        _ scale: any Weight, _ shift: any Weight, _ x: Tensor, _ operation: String,
        _ body: (
            _ scale: UnsafePointer<Float>, _ shift: UnsafePointer<Float>, _ x: UnsafePointer<Float>,
            _ y: UnsafeMutablePointer<Float>, _ channels: Int, _ row: Int
        ) -> Void
    ) throws -> Tensor {
        let span = meter.begin(operation)
        defer { meter.end(span) }
        let channels = x.shape.last
        let (scale, shift) = (try host(scale, operation), try host(shift, operation))
        for vector in [scale, shift] {
            let found = vector.description.role.shape
            try require(found == [channels], operation, "a vector of \(channels)", found)
        }
        let y = try empty(x.shape)
        let (source, target) = (try floats(x, operation), try floats(y, operation))
        try CPUWeight.withVector(scale) { scale in
            try CPUWeight.withVector(shift) { shift in
                guard let scale, let shift else { return }
                forBlocks(of: x.shape.rows, size: rowsPerTask(channels)) { rows, _ in
                    for row in rows { body(scale, shift, source, target, channels, row) }
                }
            }
        }
        return y
    }
}

/// Mean and variance of each sample's groups of channels, turned into one factor and one summand per channel.
private struct GroupMoments {
    let samples: Int
    let rows: Int
    let channels: Int
    let groups: Int

    /// `[samples, 2, channels]`: factors, then summands. Sums are in double around each channel's first value, and
    /// blocks are added in order, so the result does not depend on the number of threads.
    func factors(
        _ x: UnsafePointer<Float>, epsilon: Float, scale: [Float], shift: [Float], on cpu: CPUBackend
    ) throws -> [Float] {
        let block = cpu.rowsPerTask(channels) * 4
        let blocks = (rows + block - 1) / block
        let sums = try HostStorage(samples * blocks * 2 * channels * MemoryLayout<Double>.size, on: cpu)
        let partial = UnsafeMutableRawPointer(sums.floats).assumingMemoryBound(to: Double.self)
        cpu.threads.run(samples * blocks) { task, _ in
            let (sample, index) = task.quotientAndRemainder(dividingBy: blocks)
            let ofTask = partial + task * 2 * channels
            ofTask.update(repeating: 0, count: 2 * channels)
            let firstRow = x + sample * rows * channels
            cpu.kernels.channel_moments(
                firstRow + index * block * channels, min(block, rows - index * block), channels, firstRow, ofTask,
                ofTask + channels)
        }
        var result = [Float](repeating: 0, count: samples * 2 * channels)
        if cpu.isCounting { return result }
        for sample in 0..<samples {
            var total = [Double](repeating: 0, count: 2 * channels)
            for index in 0..<blocks {
                let ofTask = partial + (sample * blocks + index) * 2 * channels
                for entry in 0..<2 * channels { total[entry] += ofTask[entry] }
            }
            let pivots = UnsafeBufferPointer(start: x + sample * rows * channels, count: channels)
            for group in 0..<groups {
                let (mean, deviation) = statistics(group, total: total, pivots: pivots, epsilon: epsilon)
                for channel in channelRange(group) {
                    let factor = Double(scale[channel]) / deviation
                    result[sample * 2 * channels + channel] = Float(factor)
                    result[(sample * 2 + 1) * channels + channel] = Float(Double(shift[channel]) - mean * factor)
                }
            }
        }
        return result
    }

    private func channelRange(_ group: Int) -> Range<Int> {
        let width = channels / groups
        return group * width..<(group + 1) * width
    }

    private func statistics(
        _ group: Int, total: [Double], pivots: UnsafeBufferPointer<Float>, epsilon: Float
    ) -> (mean: Double, deviation: Double) {
        let range = channelRange(group)
        let count = Double(range.count * rows)
        let sum = range.reduce(0.0) { $0 + total[$1] + Double(rows) * Double(pivots[$1]) }
        let mean = sum / count
        let squares = range.reduce(0.0) { partial, channel in
            let distance = mean - Double(pivots[channel])
            return partial + total[channels + channel] - 2 * distance * total[channel]
                + Double(rows) * distance * distance
        }
        return (mean, (max(squares / count, 0) + Double(epsilon)).squareRoot())
    }
}
