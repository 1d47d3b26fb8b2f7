import CKernels
import Tensors

/// What an int8 product reads: bytes for every row of its result, with the range that they stand for.
protocol Int8Rows: Sendable {
    /// Rows of the result that can be made of it.
    var rows: Range<Int> { get }
    /// Bytes that are read at each tap.
    var stride: Int { get }
    /// Writes where some rows find their bytes, `[taps][rows]`, and their ranges, `[rows]`.
    func gather(
        _ rows: Range<Int>, into pointers: UnsafeMutablePointer<UnsafePointer<UInt8>?>,
        _ ranges: UnsafeMutablePointer<kernels_range>)
}

/// Activations as unsigned bytes, with a range for each row.
struct QuantizedInput: Int8Rows, @unchecked Sendable {
    // Unchecked: what is written by one task is read when all are done.
    private let storage: HostStorage
    private let rangeStorage: HostStorage
    let rowCount: Int
    var rows: Range<Int> { 0..<rowCount }
    /// Bytes per row: channels rounded up to 4.
    let stride: Int

    private var target: UnsafeMutablePointer<UInt8> { storage.memory(of: UInt8.self) }
    private var ranges: UnsafeMutablePointer<kernels_range> { rangeStorage.memory(of: kernels_range.self) }

    func bytes(ofRow row: Int) -> UnsafePointer<UInt8> { UnsafePointer(target) + row * stride }
    func range(ofRow row: Int) -> UnsafePointer<kernels_range> { UnsafePointer(ranges) + row }

    /// Room for rows.
    init(rowCount: Int, channels: Int, on cpu: CPUBackend) throws {
        stride = channels.roundedUp(to: Int8Layout.tileInputs)
        self.rowCount = rowCount
        storage = try HostStorage(rowCount * stride, on: cpu)
        rangeStorage = try HostStorage(rowCount * MemoryLayout<kernels_range>.stride, on: cpu)
    }

    init(_ rows: any RowSource, on cpu: CPUBackend) throws {
        try self.init(rowCount: rows.rowCount, channels: rows.channels, on: cpu)
        cpu.forBlocks(of: rowCount, size: cpu.rowsPerTask(rows.channels)) { block, _ in
            rows.forEachPiece(of: block) { piece, values in
                store(values, rows: piece, channels: rows.channels, cpu.kernels)
            }
        }
    }

    /// Quantizes rows, each over its own range.
    func store(_ values: UnsafePointer<Float>, rows: Range<Int>, channels: Int, _ kernels: Kernels) {
        var values = values
        var target = target + rows.lowerBound * stride
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

    func gather(
        _ rows: Range<Int>, into pointers: UnsafeMutablePointer<UnsafePointer<UInt8>?>,
        _ ranges: UnsafeMutablePointer<kernels_range>
    ) {
        for (index, row) in rows.enumerated() { pointers[index] = bytes(ofRow: row) }
        ranges.update(from: self.ranges + rows.lowerBound, count: rows.count)
    }
}

extension Int {
    func roundedUp(to unit: Int) -> Int { (self + unit - 1) / unit * unit }
}

extension kernels_range {
    var inverseScale: Float { scale > 0 ? 1 / scale : 0 }

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
