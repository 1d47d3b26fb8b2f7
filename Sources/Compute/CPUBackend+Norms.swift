import CKernels
import Foundation
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
            scale: vector(scale, for: x, "groupNorm"), shift: vector(shift, for: x, "groupNorm"),
            activation: activation, on: self)
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
    private func vector(_ weight: any Weight, for x: Tensor, _ operation: String) throws -> [Float] {
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
    func bounds(ofSample sample: Int) -> ClosedRange<Float>? { factors.bounds[sample] }

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
                kernels.scale_shift(
                    inputs + offset, last - first, channels, ofSample, ofSample + channels, kind, target + offset)
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
        /// What each sample's results lie between.
        var bounds: [ClosedRange<Float>] = []
    }

    let source: any RowSource
    let samples: Int
    let groups: Int
    let epsilon: Float

    var rows: Int { source.rowCount / samples }
    private var channels: Int { source.channels }

    /// A channel of one sample: sums around the pivot, and what the values lie between.
    private struct Channel {
        var pivot: Float
        var sum = 0.0
        var squareSum = 0.0
        var low: Float
        var high: Float
    }

    /// Sums are in double around each channel's first value, and blocks are added in order, so the result does not
    /// depend on the number of threads.
    func factors(scale: [Float], shift: [Float], activation: Activation, on cpu: CPUBackend) throws -> Factors {
        var result = Factors(values: [Float](repeating: 0, count: samples * 2 * channels))
        if cpu.isCounting {
            result.bounds = Array(repeating: 0...1, count: samples)
            return result
        }
        let partial = try PartialMoments(source, samples: samples, on: cpu)
        for sample in 0..<samples {
            let ofSample = (0..<channels).map { channel in
                var total = Channel(
                    pivot: partial.pivots[sample * channels + channel], low: .infinity, high: -.infinity)
                for block in 0..<partial.blocks {
                    let place = (sample * partial.blocks + block) * 2 * channels + channel
                    total.sum += partial.sums[place]
                    total.squareSum += partial.sums[place + channels]
                    total.low = min(total.low, partial.bounds[place])
                    total.high = max(total.high, partial.bounds[place + channels])
                }
                return total
            }
            var (low, high, isFinite): (Float, Float, Bool) = (0, 0, true)
            let width = channels / groups
            for group in 0..<groups {
                let range = group * width..<(group + 1) * width
                let (mean, deviation) = statistics(ofSample[range])
                for channel in range {
                    let factor = Double(scale[channel]) / deviation
                    let (slope, offset) = (Float(factor), Float(Double(shift[channel]) - mean * factor))
                    result.values[sample * 2 * channels + channel] = slope
                    result.values[(sample * 2 + 1) * channels + channel] = offset
                    let ends = [ofSample[channel].low, ofSample[channel].high].map { $0 * slope + offset }
                    (low, high) = (min(low, ends[0], ends[1]), max(high, ends[0], ends[1]))
                    isFinite = isFinite && (ends[0] + ends[1]).isFinite
                }
            }
            // Without bounds, what is not a number stays so when it is quantized.
            result.bounds.append(isFinite ? activation.bounds(over: low...high) : -Float.infinity...Float.infinity)
        }
        return result
    }

    private func statistics(_ group: ArraySlice<Channel>) -> (mean: Double, deviation: Double) {
        let count = Double(group.count * rows)
        let mean = group.reduce(0.0) { $0 + $1.sum + Double(rows) * Double($1.pivot) } / count
        let squares = group.reduce(0.0) { partial, channel in
            let distance = mean - Double(channel.pivot)
            return partial + channel.squareSum - 2 * distance * channel.sum + Double(rows) * distance * distance
        }
        return (mean, (max(squares / count, 0) + Double(epsilon)).squareRoot())
    }
}

/// Sums and bounds of every channel over blocks of a sample's rows.
private struct PartialMoments {
    let blocks: Int
    /// `[samples, channels]`: the values of each sample's first row.
    let pivots: [Float]
    /// `[samples, blocks, 2, channels]`: Σ (x − pivot), then Σ (x − pivot)².
    let sums: [Double]
    /// `[samples, blocks, 2, channels]`: the least, then the greatest value.
    let bounds: [Float]

    init(_ source: any RowSource, samples: Int, on cpu: CPUBackend) throws {
        let channels = source.channels
        let rows = source.rowCount / samples
        let block = cpu.rowsPerTask(channels) * 4
        let blocks = (rows + block - 1) / block
        let pivots = [Float](unsafeUninitializedCapacity: samples * channels) { buffer, count in
            if let first = buffer.baseAddress {
                for sample in 0..<samples {
                    source.write(sample * rows..<sample * rows + 1, into: first + sample * channels)
                }
            }
            count = samples * channels
        }
        var sums = [Double](repeating: 0, count: samples * blocks * 2 * channels)
        var bounds = [Float](repeating: 0, count: samples * blocks * 2 * channels)
        sums.withUnsafeMutableBufferPointer { sums in
            bounds.withUnsafeMutableBufferPointer { bounds in
                guard let sums = sums.baseAddress, let bounds = bounds.baseAddress else { return }
                cpu.threads.run(samples * blocks) { task, _ in
                    let (sample, index) = task.quotientAndRemainder(dividingBy: blocks)
                    let (sum, low) = (sums + task * 2 * channels, bounds + task * 2 * channels)
                    low.update(repeating: .infinity, count: channels)
                    (low + channels).update(repeating: -.infinity, count: channels)
                    let first = sample * rows + index * block
                    pivots.withUnsafeBufferPointer { pivots in
                        guard let pivots = pivots.baseAddress else { return }
                        source.forEachPiece(of: first..<min(first + block, (sample + 1) * rows)) { piece, values in
                            cpu.kernels.channel_moments(
                                values, piece.count, channels, pivots + sample * channels, sum, sum + channels, low,
                                low + channels)
                        }
                    }
                }
            }
        }
        (self.blocks, self.pivots, self.sums, self.bounds) = (blocks, pivots, sums, bounds)
    }
}
