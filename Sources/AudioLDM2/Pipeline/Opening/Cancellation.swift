import Synchronization

/// Set from outside, looked at between pieces of work.
package final class CancellationFlag: Sendable {
    private let isCancelled = Atomic<Bool>(false)

    package func cancel() { isCancelled.store(true, ordering: .relaxed) }

    /// - Throws: `CancellationError` once cancelled.
    package func check() throws {
        if isCancelled.load(ordering: .relaxed) { throw CancellationError() }
    }
}
