import Platform
import Synchronization
import Tensors

/// Calls `body` for each of `0 ..< count`, in rising order of start, on as many threads as there are contexts, or as the
/// system gives. No two calls at one time share a context.
///
/// The caller's thread takes part, so that the cancellation of the task it belongs to is seen; it is asked before all
/// else too, as the others may have done everything before the caller's turn comes.
/// - Throws: what `body` threw for the smallest number for which it threw; `CancellationError` if cancelled.
package func forEachInParallel<Context: Sendable>(
    _ count: Int, contexts: [Context], _ body: @Sendable (_ item: Int, _ context: Context) throws -> Void
) throws {
    try Task.checkCancellation()
    let progress = Mutex(ParallelProgress())
    SystemThread.together(min(count, contexts.count), "audioldm2-part") { worker in
        while let item = progress.withLock({ $0.take(of: count) }) {
            do {
                try Task.checkCancellation()
                try body(item, contexts[worker])
            } catch {
                progress.withLock { $0.fail(item, error) }
            }
        }
    }
    if let failure = progress.withLock({ $0.failure }) { throw failure.error }
}

private struct ParallelProgress {
    private var next = 0
    private(set) var failure: (item: Int, error: any Error)?

    /// The next item, or nil if there is none or one has failed.
    mutating func take(of count: Int) -> Int? {
        guard failure == nil, next < count else { return nil }
        defer { next += 1 }
        return next
    }

    /// Items start in order, so the smallest one that fails is always among those that ran.
    mutating func fail(_ item: Int, _ error: any Error) {
        if let failure, failure.item < item { return }
        failure = (item, error)
    }
}
