import Tensors

/// The buffers that some work took, in order. When it does the same again, it gets each of them again, and until then
/// nobody else does: so their addresses may be written down.
package final class BufferSequence: Sendable {
    private let pool: BufferPool
    fileprivate let buffers: [BufferPool.Buffer]

    fileprivate init(_ buffers: [BufferPool.Buffer], of pool: BufferPool) {
        (self.buffers, self.pool) = (buffers, pool)
    }

    deinit { pool.release(buffers) }
}

extension BufferPool {
    /// Does some work, and keeps what it takes for when it is done again.
    /// - Returns: no sequence if some of that has gone back to the system on the way.
    package func noting<Result>(_ work: () throws -> Result) rethrows -> (result: Result, sequence: BufferSequence?) {
        state.withLock { $0.sequence.mode = .writing([]) }
        defer { state.withLock { $0.sequence.mode = .none } }
        let result = try work()
        let sequence = state.withLock { state -> BufferSequence? in
            guard case .writing(let taken) = state.sequence.mode else { return nil }
            let (ids, free) = (Set(taken.map(\.id)), Set(state.free.map(\.id)))
            state.free.removeAll { ids.contains($0.id) }
            for id in ids { state.sequence.kept[id] = !free.contains(id) }
            return BufferSequence(taken, of: self)
        }
        return (result, sequence)
    }

    /// Does work that takes what it took when the sequence was written down.
    /// - Throws: what `work` throws, and `TensorError` if it takes more, or some of what it took is in use.
    package func repeating<Result>(_ sequence: BufferSequence, _ work: () throws -> Result) rethrows -> Result {
        state.withLock { $0.sequence.mode = .reading(sequence.buffers[...]) }
        defer { state.withLock { $0.sequence.mode = .none } }
        return try work()
    }

    /// Nobody repeats this work any more. What is in use becomes free when it is given back.
    fileprivate func release(_ buffers: [Buffer]) {
        state.withLock { state in
            for buffer in buffers where state.sequence.kept.removeValue(forKey: buffer.id) == false {
                state.free.append(buffer)
            }
        }
    }
}

/// What a pool knows of sequences.
struct SequenceState: Sendable {
    fileprivate enum Mode {
        case none
        case writing([BufferPool.Buffer])
        /// What is still to be taken.
        case reading(ArraySlice<BufferPool.Buffer>)
    }

    fileprivate var mode = Mode.none
    /// Whether buffers that are kept for a sequence are in use, by their numbers.
    fileprivate var kept: [Int: Bool] = [:]

    /// The next buffer of the sequence that is repeated; nil if none is.
    mutating func next(_ byteCount: Int) throws -> BufferPool.Buffer? {
        guard case .reading(var rest) = mode else { return nil }
        guard let next = rest.popFirst(), next.capacity >= byteCount, kept[next.id] == false else {
            throw TensorError.outOfMemory(bytes: byteCount)
        }
        mode = .reading(rest)
        kept[next.id] = true
        return next
    }

    mutating func note(_ buffer: BufferPool.Buffer) {
        guard case .writing(var taken) = mode else { return }
        taken.append(buffer)
        mode = .writing(taken)
    }

    /// Buffers that go back to the system cannot be taken again.
    mutating func forget(_ buffers: some Collection<BufferPool.Buffer>) {
        guard case .writing(let taken) = mode else { return }
        let ids = Set(taken.map(\.id))
        if buffers.contains(where: { ids.contains($0.id) }) { mode = .none }
    }

    /// Whether a buffer that is given back is kept for a sequence.
    mutating func gets(back buffer: BufferPool.Buffer) -> Bool {
        guard kept[buffer.id] != nil else { return false }
        kept[buffer.id] = false
        return true
    }
}
