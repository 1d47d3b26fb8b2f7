import CKernels
import Synchronization
import Tensors

/// A tensor that is known to 8 bits, with a range per row: what one int8 product leaves for the next.
final class QuantizedStorage: TensorStorage {
    let rows: QuantizedInput
    private let channels: Int
    private let cpu: CPUBackend
    private let expanded = Mutex<HostStorage?>(nil)

    init(_ rows: QuantizedInput, channels: Int, on cpu: CPUBackend) {
        (self.rows, self.channels, self.cpu) = (rows, channels, cpu)
    }

    var backend: any Backend { cpu }
    var byteCount: Int { rows.rowCount * channels * MemoryLayout<Float>.size }

    /// Whether a tensor on this storage is these rows.
    func isWhole(_ tensor: Tensor) -> Bool {
        tensor.offset == 0 && tensor.shape.last == channels && tensor.shape.rows == rows.rowCount
    }

    /// - Throws: `TensorError.outOfMemory`.
    func floats() throws -> UnsafeMutablePointer<Float> {
        try expanded.withLock { expanded in
            if let expanded { return expanded.floats }
            let storage = try HostStorage(byteCount, on: cpu)
            let target = storage.floats
            cpu.forBlocks(of: rows.rowCount, size: cpu.rowsPerTask(channels)) { block, _ in
                for row in block {
                    let range = rows.range(ofRow: row).pointee
                    let bytes = rows.bytes(ofRow: row)
                    for channel in 0..<channels {
                        target[row * channels + channel] = range.scale * Float(Int32(bytes[channel]) - range.zero)
                    }
                }
            }
            expanded = storage
            return target
        }
    }
}

extension CPUBackend {
    /// The rows of a tensor as bytes with a range each: as they are, or quantized now.
    func quantizedRows(_ x: Tensor, _ operation: String) throws -> QuantizedInput {
        if let storage = x.storage as? QuantizedStorage, storage.isWhole(x) { return storage.rows }
        return try QuantizedInput(rows(of: x, operation), on: self)
    }
}
