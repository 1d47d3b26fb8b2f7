import Platform
import Tensors

/// Memory of 64-byte alignment that belongs to one object and returns to the system with it.
final class AlignedMemory: @unchecked Sendable {
    // Unchecked: written by disjoint chunks while a weight is loaded, only read afterwards.
    let bytes: UnsafeMutableRawBufferPointer

    /// Contents are unspecified. nil if there is not enough memory.
    init?(byteCount: Int) {
        guard let start = SystemMemory.allocate(byteCount) else { return nil }
        bytes = UnsafeMutableRawBufferPointer(start: start, count: byteCount)
    }

    deinit { if let start = bytes.baseAddress { SystemMemory.release(start, bytes.count) } }
}
