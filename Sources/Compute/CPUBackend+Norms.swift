import CKernels
import Glibc
import Tensors

extension CPUBackend {
    package func layerNorm(_ x: Tensor, epsilon: Float, scale: any Weight, shift: any Weight) throws -> Tensor {
        try rowNorm(x, epsilon: epsilon, scale: scale, shift: shift, "layerNorm")
    }

    package func rmsNorm(_ x: Tensor, epsilon: Float, scale: any Weight) throws -> Tensor {
        try rowNorm(x, epsilon: epsilon, scale: scale, shift: nil, "rmsNorm")
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
        let moments = GroupMoments(
            source: try rows(of: x, "groupNorm"), samples: max(x.shape[0], 1), groups: groups, epsilon: epsilon)
        let factors = try moments.factors(
            scale: vector(scale, for: x, "groupNorm"), shift: vector(shift, for: x, "groupNorm"), on: self)
        return deferred(
            x.shape,
            GroupNormRows(
                source: moments.source, rowsPerSample: moments.rows, factors: factors, activation: activation,
                kernels: kernels))
    }

    private func rowNorm(
        _ x: Tensor, epsilon: Float, scale: any Weight, shift: (any Weight)?, _ operation: String
    ) throws -> Tensor {
        deferred(
            x.shape,
            RowNormRows(
                source: try rows(of: x, operation), epsilon: epsilon, scale: try vector(scale, for: x, operation),
                shift: try shift.map { try vector($0, for: x, operation) }, kernels: kernels))
    }

    /// The values of a vector weight, one per channel of `x`.
    func vector(_ weight: any Weight, for x: Tensor, _ operation: String) throws -> [Float] {
        let weight = try host(weight, operation)
        let found = weight.description.role.shape
        try require(found == [x.shape.last], operation, "a vector of \(x.shape.last)", found)
        return try weight.vector()
    }
}

/// Rows after a norm over each row's channels: layer norm, or without `shift` root-mean-square norm.
private struct RowNormRows: RowSource, @unchecked Sendable {
    let source: any RowSource
    let epsilon: Float
    let scale: [Float]
    let shift: [Float]?
    let kernels: Kernels

    var rowCount: Int { source.rowCount }
    var channels: Int { source.channels }
    var rowsAtOnce: Int { source.rowsAtOnce }

    func write(_ rows: Range<Int>, into target: UnsafeMutablePointer<Float>) {
        let inputs = source.read(rows, scratch: target)
        for offset in stride(from: 0, to: rows.count * channels, by: channels) {
            if let shift {
                kernels.layer_norm(inputs + offset, channels, epsilon, scale, shift, target + offset)
            } else {
                kernels.rms_norm(inputs + offset, channels, epsilon, scale, target + offset)
            }
        }
    }
}

/// Rows after a norm whose moments are known: a factor and a summand per sample and channel, then the activation.
private struct GroupNormRows: RowSource, @unchecked Sendable {
    let source: any RowSource
    let rowsPerSample: Int
    let factors: GroupMoments.Factors
    let activation: Activation
    let kernels: Kernels

    var rowCount: Int { source.rowCount }
    var channels: Int { source.channels }
    var rowsAtOnce: Int { source.rowsAtOnce }

    func write(_ rows: Range<Int>, into target: UnsafeMutablePointer<Float>) {
        let inputs = source.read(rows, scratch: target)
        let kind = activation.kernel.kind
        factors.values.withUnsafeBufferPointer { factors in
            guard let factors = factors.baseAddress else { return }
            var first = rows.lowerBound
            while first < rows.upperBound {
                let sample = first / rowsPerSample
                let last = min(rows.upperBound, (sample + 1) * rowsPerSample)
                let offset = (first - rows.lowerBound) * channels
                let ofSample = factors + sample * 2 * channels
                if self.factors.areNumbers[sample] {
                    kernels.scale_shift(
                        inputs + offset, last - first, channels, ofSample, ofSample + channels, kind, target + offset)
                } else {
                    // What is not a number has no range, and must not become a byte.
                    (target + offset).update(repeating: .infinity, count: (last - first) * channels)
                }
                first = last
            }
        }
    }
}

/// Mean and variance of each sample's groups of channels, turned into one factor and one summand per channel.
private struct GroupMoments {
    struct Factors {
        /// `[samples, 2, channels]`: factors, then summands.
        var values: [Float]
        /// Whether all of a sample's are finite.
        var areNumbers: [Bool] = []
    }

    let source: any RowSource
    let samples: Int
    let groups: Int
    let epsilon: Float

    var rows: Int { source.rowCount / samples }
    private var channels: Int { source.channels }

    /// Sums are in double around each channel's first value, and blocks are added in order, so the result does not
    /// depend on the number of threads.
    func factors(scale: [Float], shift: [Float], on cpu: CPUBackend) throws -> Factors {
        var result = Factors(values: [Float](repeating: 0, count: samples * 2 * channels))
        let partial = try PartialMoments(source, samples: samples, on: cpu)
        if cpu.isCounting {
            result.areNumbers = Array(repeating: true, count: samples)
            return result
        }
        result.values.withUnsafeMutableBufferPointer { values in
            for sample in 0..<samples {
                let total = partial.total(ofSample: sample)
                let ofSample = UnsafeMutableBufferPointer(
                    rebasing: values[sample * 2 * channels..<(sample + 1) * 2 * channels])
                result.areNumbers.append(
                    withExtendedLifetime(partial) { fill(ofSample, from: total, scale: scale, shift: shift) })
            }
        }
        return result
    }

    /// Writes a sample's factors and summands.
    /// - Returns: whether all are finite.
    private func fill(
        _ values: UnsafeMutableBufferPointer<Float>, from total: PartialMoments.Total, scale: [Float], shift: [Float]
    ) -> Bool {
        var areNumbers = true
        let width = channels / groups
        for group in 0..<groups {
            let range = group * width..<(group + 1) * width
            let (mean, deviation) = statistics(total, range)
            for channel in range {
                let factor = Double(scale[channel]) / deviation
                let (slope, offset) = (Float(factor), Float(Double(shift[channel]) - mean * factor))
                (values[channel], values[channels + channel]) = (slope, offset)
                areNumbers = areNumbers && slope.isFinite && offset.isFinite
            }
        }
        return areNumbers
    }

    private func statistics(_ total: PartialMoments.Total, _ group: Range<Int>) -> (mean: Double, deviation: Double) {
        let (rows, count) = (Double(rows), Double(group.count * rows))
        var sum = 0.0
        for channel in group { sum += total.sum[channel] + rows * Double(total.pivot[channel]) }
        let mean = sum / count
        var squares = 0.0
        for channel in group {
            let distance = mean - Double(total.pivot[channel])
            squares += total.squareSum[channel] - 2 * distance * total.sum[channel] + rows * distance * distance
        }
        return (mean, (max(squares / count, 0) + Double(epsilon)).squareRoot())
    }
}

/// Sums of every channel over blocks of a sample's rows.
private struct PartialMoments {
    /// Of one sample, a number per channel each.
    struct Total {
        /// The values of the first row.
        let pivot: UnsafePointer<Float>
        /// Σ (x − pivot), and Σ (x − pivot)².
        let sum: UnsafePointer<Double>
        let squareSum: UnsafePointer<Double>
    }

    private static let mostBlocks = 8
    private let channels: Int
    private let blocks: Int
    /// `[samples, channels]`
    private let pivots: HostStorage
    /// `[samples, blocks, 2, channels]`
    private let sums: HostStorage

    init(_ source: any RowSource, samples: Int, on cpu: CPUBackend) throws {
        channels = source.channels
        let channels = channels
        let rows = source.rowCount / samples
        // As many whatever the number of threads.
        let block = max(cpu.rowsPerTask(channels), (rows + Self.mostBlocks - 1) / Self.mostBlocks)
        blocks = (rows + block - 1) / block
        let blocks = blocks
        pivots = try HostStorage(samples * channels * MemoryLayout<Float>.size, on: cpu)
        sums = try HostStorage(samples * blocks * 2 * channels * MemoryLayout<Double>.size, on: cpu)
        let pivots = pivots.floats
        let sums = sums.memory(of: Double.self)
        if cpu.isCounting { return }
        for sample in 0..<samples {
            source.write(sample * rows..<sample * rows + 1, into: pivots + sample * channels)
        }
        cpu.threads.run(samples * blocks) { task, _ in
            let (sample, index) = task.quotientAndRemainder(dividingBy: blocks)
            let sum = sums + task * 2 * channels
            sum.update(repeating: 0, count: 2 * channels)
            let first = sample * rows + index * block
            source.forEachPiece(of: first..<min(first + block, (sample + 1) * rows)) { piece, values in
                cpu.kernels.channel_moments(
                    values, piece.count, channels, pivots + sample * channels, sum, sum + channels)
            }
        }
    }

    /// Adds a sample's blocks up, in the place of the first.
    func total(ofSample sample: Int) -> Total {
        let sum = sums.memory(of: Double.self) + sample * blocks * 2 * channels
        for block in 1..<max(blocks, 1) {
            let next = sum + block * 2 * channels
            for channel in 0..<2 * channels { sum[channel] += next[channel] }
        }
        return Total(
            pivot: UnsafePointer(pivots.floats + sample * channels), sum: UnsafePointer(sum),
            squareSum: UnsafePointer(sum + channels))
    }
}
