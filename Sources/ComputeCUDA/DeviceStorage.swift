import CCUDA
import Compute
import Tensors

/// Memory of a GPU; back in the pool when the last tensor or weight lets go of it.
///
/// All work is on one stream, so what follows may use it at once: earlier kernels are done with it by then.
final class DeviceStorage: TensorStorage {
    private let cuda: CUDABackend
    private let buffer: BufferPool.Buffer
    let byteCount: Int

    /// - Throws: `TensorError.outOfMemory`; `CUDAError`.
    init(_ byteCount: Int, on cuda: CUDABackend) throws {
        self.cuda = cuda
        self.byteCount = byteCount
        buffer = try cuda.pool.take(byteCount)
    }

    deinit { cuda.pool.give(buffer) }

    var backend: any Backend { cuda }
    var device: CUDADevice { cuda.device }
    var address: UInt64 { UInt64(UInt(bitPattern: buffer.pointer)) }
}

/// Addresses for a backend that only counts.
struct CountedDeviceMemory: MemorySource {
    func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer? { UnsafeMutableRawPointer(bitPattern: 256) }
    func release(_ pointer: UnsafeMutableRawPointer, _ byteCount: Int) {}
}

/// A weight as a GPU holds it: the pack's bytes in its memory. Tables stay on the host, as few of their rows are read.
final class CUDAWeight: Weight {
    enum Place: Sendable {
        case device(DeviceStorage)
        case host(any WeightData)
    }

    let description: WeightDescription
    let place: Place

    init(_ data: any WeightData, on cuda: CUDABackend) throws {
        description = data.description
        if case .table = description.role {
            place = .host(data)
            return
        }
        let storage = try DeviceStorage(description.byteCount, on: cuda)
        try data.withBytes { try cuda.copyIn($0, to: storage.address) }
        place = .device(storage)
    }

    /// False for the memory of another device.
    func canServe(_ device: CUDADevice) -> Bool {
        guard case .device(let storage) = place else { return true }
        return storage.device === device
    }

    /// - Throws: `TensorError.foreignStorage` for a table.
    func address(_ operation: String) throws -> UInt64 {
        guard case .device(let storage) = place else { throw TensorError.foreignStorage(operation: operation) }
        return storage.address
    }
}
