import Dispatch
import Synchronization

/// Runs independent pieces of work on a fixed number of threads.
package struct Workers: Sendable {
    package let count: Int

    /// - Parameter count: at least 1.
    package init(count: Int) { self.count = max(count, 1) }

    /// The results of calling `body` for each of `0..<pieces`, in that order.
    /// - Throws: the error of the lowest piece that failed, so that a message does not depend on timing.
    func map<Result: Sendable>(_ pieces: Int, _ body: @Sendable (Int) throws -> Result) throws -> [Result] {
        let next = Atomic(0)
        let results = Mutex([Swift.Result<Result, any Error>?](repeating: nil, count: pieces))
        DispatchQueue.concurrentPerform(iterations: min(count, pieces)) { _ in
            while case let piece = next.add(1, ordering: .relaxed).oldValue, piece < pieces {
                let result = Swift.Result { try body(piece) }
                results.withLock { $0[piece] = result }
                if case .failure = result { return }
            }
        }
        return try results.withLock { $0 }.compactMap { try $0?.get() }
    }
}
