import CKernels
import Tensors

/// Activations as unsigned bytes, with the range that they stand for: per row, or per sample.
struct QuantizedInput {
    let storage: HostStorage
    private let rangeStorage: HostStorage
    let rowCount: Int
    /// Bytes per row: channels rounded up to 4.
    let stride: Int
    /// Rows that share a range.
    let rowsPerRange: Int

    var bytes: UnsafePointer<UInt8> { UnsafePointer(storage.memory(of: UInt8.self)) }
    private var ranges: UnsafeMutablePointer<kernels_range> { rangeStorage.memory(of: kernels_range.self) }

    func range(ofRow row: Int) -> UnsafePointer<kernels_range> { UnsafePointer(ranges) + row / rowsPerRange }

    /// Room for rows with a range each.
    init(rowCount: Int, channels: Int, on cpu: CPUBackend) throws {
        try self.init(rowCount: rowCount, channels: channels, rowsPerRange: 1, cpu)
    }

    private init(rowCount: Int, channels: Int, rowsPerRange: Int, _ cpu: CPUBackend) throws {
        stride = (channels + 3) / 4 * 4
        self.rowCount = rowCount
        self.rowsPerRange = rowsPerRange
        storage = try HostStorage(rowCount * stride, on: cpu)
        rangeStorage = try HostStorage(
            (rowCount + rowsPerRange - 1) / rowsPerRange * MemoryLayout<kernels_range>.stride, on: cpu)
    }

    /// - Parameters:
    ///   - rowsPerRange: 1, or all the rows of a sample.
    ///   - activation: applied first.
    init(_ rows: any RowSource, rowsPerRange: Int, activation: Activation = .none, on cpu: CPUBackend) throws {
        try self.init(rowCount: rows.rowCount, channels: rows.channels, rowsPerRange: rowsPerRange, cpu)
        let job = Job(
            rows: rows, stride: stride, activation: activation, kernels: cpu.kernels,
            target: storage.memory(of: UInt8.self))
        if rowsPerRange == 1 {
            quantizeRows(job, cpu)
        } else {
            try quantizeSamples(job, cpu)
        }
    }

    private struct Job {
        let rows: any RowSource
        let stride: Int
        let activation: Activation
        let kernels: Kernels
        let target: UnsafeMutablePointer<UInt8>

        /// Calls `body` with a few rows at a time, after their activation.
        func forEachPiece(of range: Range<Int>, _ body: (_ rows: Range<Int>, _ values: UnsafePointer<Float>) -> Void) {
            guard activation != .none else {
                rows.forEachPiece(of: range, body)
                return
            }
            let (kind, slope) = activation.kernel
            let count = rows.rowsAtOnce
            withUnsafeTemporaryAllocation(byteCount: count * rows.channels * 4, alignment: 64) { scratch in
                guard let activated = scratch.assumingMemoryBound(to: Float.self).baseAddress else { return }
                rows.forEachPiece(of: range) { piece, values in
                    for first in Swift.stride(from: 0, to: piece.count, by: count) {
                        let part = min(count, piece.count - first)
                        kernels.activate(
                            values + first * rows.channels, part * rows.channels, kind, slope, activated)
                        let start = piece.lowerBound + first
                        body(start..<start + part, UnsafePointer(activated))
                    }
                }
            }
        }

        func quantize(_ values: UnsafePointer<Float>, rows range: Range<Int>, as bounds: kernels_range) {
            let channels = rows.channels
            let inverse = bounds.inverseScale
            if stride == channels {
                let count = range.count * channels
                kernels.quantize_u8(values, count, count, inverse, bounds.zero, target + range.lowerBound * stride)
            } else {
                for (index, row) in range.enumerated() {
                    kernels.quantize_u8(
                        values + index * channels, channels, stride, inverse, bounds.zero, target + row * stride)
                }
            }
        }
    }

    private func quantizeRows(_ job: Job, _ cpu: CPUBackend) {
        cpu.forBlocks(of: rowCount, size: cpu.rowsPerTask(job.rows.channels)) { block, _ in
            job.forEachPiece(of: block) { rows, values in
                store(values, rows: rows, channels: job.rows.channels, cpu.kernels)
            }
        }
    }

    /// Quantizes rows, each over its own range.
    func store(_ values: UnsafePointer<Float>, rows: Range<Int>, channels: Int, _ kernels: Kernels) {
        var values = values
        var target = storage.memory(of: UInt8.self) + rows.lowerBound * stride
        let ranges = ranges
        let (widen, quantize) = (kernels.widen_range, kernels.quantize_u8)
        for row in rows {
            var (low, high): (Float, Float) = (0, 0)
            widen(values, channels, &low, &high)
            let range = kernels_range(low: low, high: high)
            ranges[row] = range
            quantize(values, channels, stride, range.inverseScale, range.zero, target)
            values += channels
            target += stride
        }
    }

    private func quantizeSamples(_ job: Job, _ cpu: CPUBackend) throws {
        let block = cpu.rowsPerTask(job.rows.channels)
        let blocks = (rowsPerRange + block - 1) / block
        let samples = rowCount / rowsPerRange
        func forBlocks(_ body: (_ task: Int, _ sample: Int, _ rows: Range<Int>) -> Void) {
            cpu.threads.run(samples * blocks) { task, _ in
                let (sample, index) = task.quotientAndRemainder(dividingBy: blocks)
                let first = sample * rowsPerRange + index * block
                body(task, sample, first..<min(first + block, (sample + 1) * rowsPerRange))
            }
        }
        var known = (0..<samples).compactMap { job.rows.bounds(ofSample: $0).map(Bounds.init) }
        if known.count < samples {
            let parts = try HostStorage(samples * blocks * MemoryLayout<Bounds>.stride, on: cpu)
            forBlocks { task, _, rows in
                var bounds = Bounds()
                job.rows.forEachPiece(of: rows) { piece, values in
                    bounds.widen(values, count: piece.count * job.rows.channels, cpu.kernels)
                }
                parts.memory(of: Bounds.self)[task] = bounds
            }
            known = (0..<samples).map { sample in
                let ofSample = parts.memory(of: Bounds.self) + sample * blocks
                return UnsafeBufferPointer(start: ofSample, count: blocks).reduce(Bounds()) { $0.union($1) }
            }
        }
        for sample in 0..<samples { ranges[sample] = kernels_range(known[sample].after(job.activation)) }
        forBlocks { _, sample, rows in
            job.forEachPiece(of: rows) { job.quantize($1, rows: $0, as: ranges[sample]) }
        }
    }
}

/// What some numbers lie between, zero included.
struct Bounds {
    private(set) var low: Float = 0
    private(set) var high: Float = 0

    init() {}

    init(_ range: ClosedRange<Float>) { (low, high) = (min(range.lowerBound, 0), max(range.upperBound, 0)) }

    mutating func widen(_ values: UnsafePointer<Float>, count: Int, _ kernels: Kernels) {
        kernels.widen_range(values, count, &low, &high)
    }

    func union(_ other: Bounds) -> Bounds { Bounds(min(low, other.low)...max(high, other.high)) }

    func after(_ activation: Activation) -> Bounds { Bounds(activation.bounds(over: low...high)) }
}

extension kernels_range {
    var inverseScale: Float { scale > 0 ? 1 / scale : 0 }

    init(_ bounds: Bounds) { self.init(low: bounds.low, high: bounds.high) }

    /// The whole of the bytes for the whole of the numbers: `low` is at most 0, `high` at least.
    init(low: Float, high: Float) {
        let scale = (high - low) / 255
        if scale.isNormal {
            self.init(scale: scale, zero: Int32(min(-low / scale + 0.5, 255)))
        } else {
            // What is not a number must not become one.
            self.init(scale: scale.isFinite ? 0 : .nan, zero: 0)
        }
    }
}

extension Activation {
    /// What the function's values lie between when its argument does.
    func bounds(over range: ClosedRange<Float>) -> ClosedRange<Float> {
        let ends = [range.lowerBound, range.upperBound].map(value)
        var (low, high) = (min(ends[0], ends[1]), max(ends[0], ends[1]))
        if let minimum, range.contains(minimum.at) { low = min(low, minimum.value) }
        high = max(high, low)
        return low...high
    }

    /// The least value and where it is, of the functions that fall before they rise.
    private var minimum: (at: Float, value: Float)? {
        switch self {
        case .silu: (-1.2784645, -0.27846455)
        case .gelu: (-0.7517916, -0.16997120)
        case .geluTanh: (-0.7524614, -0.17004084)
        case .none, .relu, .leakyRelu, .tanh: nil
        }
    }

    private func value(_ x: Float) -> Float {
        let (kind, slope) = kernel
        var y: Float = 0
        withUnsafePointer(to: x) { kernels_current().pointee.activate($0, 1, kind, slope, &y) }
        return y.isNaN ? 0 : y
    }
}
