import ComputeSupport
import Glibc
import Platform
import Tensors

/// The host's memory.
struct HostMemory: MemorySource {
    func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer? { SystemMemory.allocate(byteCount) }
    func release(_ pointer: UnsafeMutableRawPointer, _ byteCount: Int) { SystemMemory.release(pointer, byteCount) }
}

/// Where all buffers of a pool are that hands out no memory, only the same numbers, so that what a forward pass needs can
/// be found by running it: a little memory that may be written to and means nothing.
final class CountedMemory: MemorySource, @unchecked Sendable {
    private let start: UnsafeMutableRawPointer
    /// More than operations touch beside their threaded parts, which a counting backend skips.
    private static let byteCount = 1 << 26

    /// - Throws: `TensorError.outOfMemory`.
    init() throws {
        guard
            let start = mmap(
                nil, Self.byteCount, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
            start != MAP_FAILED
        else { throw TensorError.outOfMemory(bytes: Self.byteCount) }
        self.start = start
    }

    deinit { munmap(start, Self.byteCount) }

    func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer? { start }
    func release(_ pointer: UnsafeMutableRawPointer, _ byteCount: Int) {}
}

/// A tensor's memory on the host; back in the pool when the last tensor lets go of it.
final class HostStorage: TensorStorage {
    private let cpu: CPUBackend
    private let buffer: BufferPool.Buffer
    let byteCount: Int

    init(_ byteCount: Int, on cpu: CPUBackend) throws {
        self.cpu = cpu
        self.byteCount = byteCount
        buffer = try cpu.pool.take(byteCount)
    }

    deinit { cpu.pool.give(buffer) }

    var backend: any Backend { cpu }
    var floats: UnsafeMutablePointer<Float> { memory(of: Float.self) }

    /// The memory as elements of a plain type.
    func memory<Element: BitwiseCopyable>(of type: Element.Type) -> UnsafeMutablePointer<Element> {
        buffer.pointer.assumingMemoryBound(to: type)
    }
}
