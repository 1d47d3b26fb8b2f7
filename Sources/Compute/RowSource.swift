import CKernels
import Synchronization
import Tensors

/// Rows of channels that are in memory, or are computed as they are read.
protocol RowSource: Sendable {
    var rowCount: Int { get }
    var channels: Int { get }
    /// The rows, if they are in memory.
    var inPlace: UnsafePointer<Float>? { get }
    /// How many rows are best computed at once.
    var rowsAtOnce: Int { get }
    /// Computes rows, one after the other in `target`.
    func write(_ rows: Range<Int>, into target: UnsafeMutablePointer<Float>)
}

extension RowSource {
    var inPlace: UnsafePointer<Float>? { nil }
    /// As many as stay in the first-level cache.
    var rowsAtOnce: Int { max(1, 4096 / max(channels, 1)) }

    /// The rows in place, or computed into `scratch`.
    func read(_ rows: Range<Int>, scratch: UnsafeMutablePointer<Float>) -> UnsafePointer<Float> {
        if let inPlace { return inPlace + rows.lowerBound * channels }
        write(rows, into: scratch)
        return UnsafePointer(scratch)
    }

    /// Calls `body` with a few rows at a time, in place or computed into a scratch buffer.
    func forEachPiece(
        of rows: Range<Int>, _ body: (_ rows: Range<Int>, _ values: UnsafePointer<Float>) -> Void
    ) {
        if let inPlace {
            body(rows, inPlace + rows.lowerBound * channels)
            return
        }
        let count = min(rowsAtOnce, rows.count)
        withUnsafeTemporaryAllocation(byteCount: max(count * channels * 4, 4), alignment: 64) { scratch in
            let values = scratch.assumingMemoryBound(to: Float.self)
            guard let target = values.baseAddress else { return }
            for first in stride(from: rows.lowerBound, to: rows.upperBound, by: count) {
                let piece = first..<min(first + count, rows.upperBound)
                write(piece, into: target)
                body(piece, UnsafePointer(target))
            }
        }
    }
}

/// The rows of a tensor in memory.
struct TensorRows: RowSource, @unchecked Sendable {
    let rowCount: Int
    let channels: Int
    private let values: UnsafePointer<Float>
    /// Keeps the memory.
    private let tensor: Tensor

    init(_ tensor: Tensor, values: UnsafePointer<Float>) {
        self.tensor = tensor
        self.values = values
        rowCount = tensor.shape.rows
        channels = tensor.shape.last
    }

    var inPlace: UnsafePointer<Float>? { values }

    func write(_ rows: Range<Int>, into target: UnsafeMutablePointer<Float>) {
        target.update(from: values + rows.lowerBound * channels, count: rows.count * channels)
    }
}

/// A tensor that has not been computed yet: its reader decides whether it ever becomes floats in memory.
///
/// An int8 product quantizes rows as they are computed; whatever else reads the tensor has it computed, once. What a
/// deferred tensor is made from must not change before it is gone.
final class DeferredStorage: TensorStorage {
    let rows: any RowSource
    private let cpu: CPUBackend
    private let computed = Mutex<HostStorage?>(nil)

    init(_ rows: any RowSource, on cpu: CPUBackend) {
        self.rows = rows
        self.cpu = cpu
    }

    var backend: any Backend { cpu }
    var byteCount: Int { rows.rowCount * rows.channels * MemoryLayout<Float>.size }

    /// - Throws: `TensorError.outOfMemory`.
    func floats() throws -> UnsafeMutablePointer<Float> {
        try computed.withLock { computed in
            if let computed { return computed.floats }
            let storage = try HostStorage(byteCount, on: cpu)
            let target = storage.floats
            cpu.forBlocks(of: rows.rowCount, size: max(rows.rowsAtOnce, cpu.rowsPerTask(rows.channels))) { block, _ in
                let count = rows.rowsAtOnce
                for first in stride(from: block.lowerBound, to: block.upperBound, by: count) {
                    let piece = first..<min(first + count, block.upperBound)
                    rows.write(piece, into: target + first * rows.channels)
                }
            }
            computed = storage
            return target
        }
    }
}

extension CPUBackend {
    /// A tensor whose rows are computed when they are read.
    func deferred(_ shape: Shape, _ rows: any RowSource) -> Tensor {
        Tensor(shape: shape, storage: DeferredStorage(rows, on: self))
    }

    /// The rows of a tensor, computed or not.
    func rows(of tensor: Tensor, _ operation: String) throws -> any RowSource {
        if let storage = tensor.storage as? DeferredStorage, tensor.offset == 0,
            tensor.shape.last == storage.rows.channels, tensor.shape.rows == storage.rows.rowCount
        {
            return storage.rows
        }
        return TensorRows(tensor, values: try floats(tensor, operation))
    }
}
