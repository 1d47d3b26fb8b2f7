import Synchronization
import Tensors

/// Where a pool's memory comes from.
package protocol MemorySource: Sendable {
    /// Memory, aligned to at least 64 bytes; nil if there is not enough. The pointer may be one that only a device can
    /// follow.
    /// - Throws: what else fails.
    func allocate(_ byteCount: Int) throws -> UnsafeMutableRawPointer?
    func release(_ pointer: UnsafeMutableRawPointer, _ byteCount: Int)
    /// Size of the piece that is taken for `byteCount` bytes.
    func rounded(_ byteCount: Int) -> Int
}

extension MemorySource {
    /// Few distinct sizes make reuse likely: whole cache lines, then pages, and of large pieces a sixteenth or less more.
    package func rounded(_ byteCount: Int) -> Int {
        let sixteenth = 1 << max(Int.bitWidth - 5 - byteCount.leadingZeroBitCount, 0)
        let step = byteCount < 1 << 14 ? 64 : max(sixteenth, 1 << 12)
        return max(byteCount + step - 1, step) / step * step
    }
}

/// Memory for activations, kept for reuse: after the first step of a loop, nothing is allocated any more.
package final class BufferPool: Sendable {
    struct State {
        /// The one that was given back last comes last.
        var free: [Buffer] = []
        var liveBytes = 0
        var peakBytes = 0
        /// Unused buffers go rather than that the pool holds more than this many bytes.
        var limit = Int.max
        var allocations = 0
        /// What is taken for a sequence.
        var sequence = SequenceState()
    }

    package struct Buffer: @unchecked Sendable {
        package let pointer: UnsafeMutableRawPointer
        package let capacity: Int
        /// Of this allocation in its pool.
        let id: Int
    }

    let state = Mutex(State())
    private let source: any MemorySource

    package init(_ source: any MemorySource) { self.source = source }

    deinit { trim() }

    /// The most memory that was held since `resetPeak(keeping:)`, in bytes.
    package var peakBytes: Int { state.withLock { $0.peakBytes } }

    /// Counts the peak from now on.
    /// - Parameter limit: in bytes; it is exceeded by what is in use at one time, but not by what is kept for reuse.
    package func resetPeak(keeping limit: Int) {
        state.withLock {
            $0.peakBytes = $0.liveBytes
            $0.limit = limit
        }
    }

    /// A 64-byte aligned buffer of at least `byteCount` bytes: the smallest free one that is not much too large.
    /// - Throws: `TensorError.outOfMemory`, and what the memory's source throws.
    package func take(_ byteCount: Int) throws -> Buffer {
        let needed = source.rounded(byteCount)
        if let next = try state.withLock({ try $0.sequence.next(needed) }) { return next }
        let buffer = try reused(needed) ?? fresh(needed)
        state.withLock { $0.sequence.note(buffer) }
        return buffer
    }

    private func reused(_ needed: Int) -> Buffer? {
        state.withLock { state in
            let fitting = state.free.indices.filter { state.free[$0].capacity >= needed }
            guard let best = fitting.min(by: { state.free[$0].capacity < state.free[$1].capacity }),
                state.free[best].capacity <= needed + max(needed / 4, 1 << 16)
            else { return nil }
            return state.free.remove(at: best)
        }
    }

    private func fresh(_ needed: Int) throws -> Buffer {
        trim(to: state.withLock { $0.limit - min(needed, $0.limit) })
        if let fresh = try allocate(needed) { return fresh }
        trim()
        guard let fresh = try allocate(needed) else { throw TensorError.outOfMemory(bytes: needed) }
        return fresh
    }

    package func give(_ buffer: Buffer) {
        state.withLock { state in
            if !state.sequence.gets(back: buffer) { state.free.append(buffer) }
        }
    }

    /// Returns unused buffers to the system, the longest unused first, until the pool holds at most `byteCount` bytes.
    package func trim(to byteCount: Int = 0) {
        let unused = state.withLock { state in
            var count = 0
            while state.liveBytes > byteCount, count < state.free.count {
                state.liveBytes -= state.free[count].capacity
                count += 1
            }
            state.sequence.forget(state.free.prefix(count))
            defer { state.free.removeFirst(count) }
            return state.free.prefix(count)
        }
        for buffer in unused { source.release(buffer.pointer, buffer.capacity) }
    }

    private func allocate(_ byteCount: Int) throws -> Buffer? {
        guard let pointer = try source.allocate(byteCount) else { return nil }
        return state.withLock { state in
            state.liveBytes += byteCount
            state.peakBytes = max(state.peakBytes, state.liveBytes)
            state.allocations += 1
            return Buffer(pointer: pointer, capacity: byteCount, id: state.allocations)
        }
    }
}
