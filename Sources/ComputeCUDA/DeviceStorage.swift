import CCUDA
import ComputeSupport
import Synchronization
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
    func rounded(_ byteCount: Int) -> Int { DeviceMemory.rounded(byteCount) }
}

/// One piece of memory for all weights of a component: each in a piece of its own would take whole pages.
final class WeightSlab: Sendable {
    private let storage: DeviceStorage
    private let used = Mutex(0)

    private init(_ storage: DeviceStorage) { self.storage = storage }

    /// - Throws: `TensorError.outOfMemory`; `CUDAError`.
    static func making(roomFor weights: [WeightDescription], on cuda: CUDABackend) throws -> WeightSlab {
        WeightSlab(try DeviceStorage(weights.reduce(0) { $0 + aligned($1.byteCount) }, on: cuda))
    }

    /// - Returns: nil if there is no room left.
    func take(_ byteCount: Int) -> CUDAWeight.Place? {
        used.withLock { used in
            guard used + byteCount <= storage.byteCount else { return nil }
            defer { used += Self.aligned(byteCount) }
            return .device(storage, offset: used)
        }
    }

    private static func aligned(_ byteCount: Int) -> Int { (byteCount + 255) / 256 * 256 }
}

/// A weight as a GPU holds it: the pack's bytes in its memory. Tables stay on the host, as few of their rows are read.
final class CUDAWeight: Weight {
    enum Place: Sendable {
        /// - offset: in bytes.
        case device(DeviceStorage, offset: Int)
        case host(any WeightData)
    }

    let description: WeightDescription
    let place: Place

    init(_ data: any WeightData, on cuda: CUDABackend) throws {
        if case .table = data.description.role {
            description = data.description
            place = .host(data)
            return
        }
        let expanded = try data.withBytes { data.description.withoutInputFactors($0) }
        description = expanded?.description ?? data.description
        place = try Self.place(description.byteCount, on: cuda)
        let address = try address("prepare")
        if let expanded {
            try expanded.bytes.withUnsafeBytes { try cuda.copyIn($0, to: address) }
        } else {
            try data.withBytes { try cuda.copyIn($0, to: address) }
        }
    }

    private static func place(_ byteCount: Int, on cuda: CUDABackend) throws -> Place {
        if let place = cuda.slab?.take(byteCount) { return place }
        return .device(try DeviceStorage(byteCount, on: cuda), offset: 0)
    }

    /// False for the memory of another device.
    func canServe(_ device: CUDADevice) -> Bool {
        guard case .device(let storage, _) = place else { return true }
        return storage.device === device
    }

    /// - Throws: `TensorError.foreignStorage` for a table.
    func address(_ operation: String) throws -> UInt64 {
        guard case .device(let storage, let offset) = place else {
            throw TensorError.foreignStorage(operation: operation)
        }
        return storage.address + UInt64(offset)
    }
}
