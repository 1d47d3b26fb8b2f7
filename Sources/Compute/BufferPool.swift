import Foundation
import Synchronization
import Tensors

/// Memory for activations, kept for reuse: after the first step of a loop, nothing is allocated any more.
final class BufferPool: Sendable {
    private struct State {
        var free: [Buffer] = []
        var liveBytes = 0
        var peakBytes = 0
    }

    struct Buffer: @unchecked Sendable {
        let pointer: UnsafeMutableRawPointer
        let capacity: Int
    }

    private let state = Mutex(State())

    deinit { trim() }

    /// The most memory that was ever held, in bytes.
    var peakBytes: Int { state.withLock { $0.peakBytes } }

    /// A 64-byte aligned buffer of at least `byteCount` bytes: the smallest free one that is not much too large.
    /// - Throws: `TensorError.outOfMemory`.
    func take(_ byteCount: Int) throws -> Buffer {
        let needed = Self.rounded(byteCount)
        let reused = state.withLock { state -> Buffer? in
            let fitting = state.free.indices.filter { state.free[$0].capacity >= needed }
            guard let best = fitting.min(by: { state.free[$0].capacity < state.free[$1].capacity }),
                state.free[best].capacity <= needed + max(needed / 4, 1 << 16)
            else { return nil }
            return state.free.remove(at: best)
        }
        if let reused { return reused }
        if let fresh = allocate(needed) { return fresh }
        trim()
        guard let fresh = allocate(needed) else { throw TensorError.outOfMemory(bytes: byteCount) }
        return fresh
    }

    func give(_ buffer: Buffer) {
        state.withLock { $0.free.append(buffer) }
    }

    /// Returns unused buffers to the system.
    func trim() {
        let unused = state.withLock { state in
            defer { state.free = [] }
            state.liveBytes -= state.free.reduce(0) { $0 + $1.capacity }
            return state.free
        }
        for buffer in unused { free(buffer.pointer) }
    }

    private func allocate(_ byteCount: Int) -> Buffer? {
        var pointer: UnsafeMutableRawPointer?
        guard posix_memalign(&pointer, 64, byteCount) == 0, let pointer else { return nil }
        state.withLock {
            $0.liveBytes += byteCount
            $0.peakBytes = max($0.peakBytes, $0.liveBytes)
        }
        return Buffer(pointer: pointer, capacity: byteCount)
    }

    /// Few distinct sizes make reuse likely: whole cache lines, then steps of 4 KiB.
    private static func rounded(_ byteCount: Int) -> Int {
        let step = byteCount < 1 << 14 ? 64 : 1 << 12
        return max(byteCount + step - 1, step) / step * step
    }
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
