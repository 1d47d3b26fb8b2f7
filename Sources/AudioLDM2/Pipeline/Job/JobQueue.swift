import Platform
import Synchronization
import Tensors

/// Work on one model, each piece on a thread of its own, one after the other in the order in which they came: one piece uses
/// all cores, and a limit of memory holds for it alone.
final class JobQueue: Sendable {
    /// Stands for a piece of work, before and while it waits.
    final class Ticket: Sendable {
        fileprivate let isWithdrawn = Atomic<Bool>(false)
    }

    private struct Job: Sendable {
        let ticket: Ticket
        let work: @Sendable () -> Void
        let refused: @Sendable (any Error) -> Void
    }

    private struct State {
        var isBusy = false
        var waiting: [Job] = []
    }

    private let state = Mutex(State())

    /// - Parameters:
    ///   - work: looks for itself whether it was cancelled when its turn comes.
    ///   - refused: is told why the work will not be done, in its place: `CancellationError` if it was withdrawn before its
    ///     turn, `ThreadError` if the system refuses a thread.
    func add(
        _ ticket: Ticket, _ work: @escaping @Sendable () -> Void, refused: @escaping @Sendable (any Error) -> Void
    ) {
        let job = Job(ticket: ticket, work: work, refused: refused)
        let mayStart = state.withLock { state -> Bool? in
            if ticket.isWithdrawn.load(ordering: .relaxed) { return nil }
            if state.isBusy { state.waiting.append(job) }
            defer { state.isBusy = true }
            return !state.isBusy
        }
        guard let mayStart else { return refused(CancellationError()) }
        if mayStart { start(job) }
    }

    /// Gives work up that has not begun. What has begun is not touched.
    func withdraw(_ ticket: Ticket) {
        let job = state.withLock { state in
            ticket.isWithdrawn.store(true, ordering: .relaxed)
            return state.waiting.firstIndex { $0.ticket === ticket }.map { state.waiting.remove(at: $0) }
        }
        job?.refused(CancellationError())
    }

    private func start(_ first: Job) {
        var next: Job? = first
        while let job = next {
            do {
                return try SystemThread.start("audioldm2", stackSize: 2 << 20) { self.work(from: job) }
            } catch {
                job.refused(error)
                next = self.next()
            }
        }
    }

    /// Does a job and what waits behind it: there may be no thread for each.
    private func work(from first: Job) {
        var next: Job? = first
        while let job = next {
            job.work()
            next = self.next()
        }
    }

    /// Whose turn it is; nobody is busy any more if there is none.
    private func next() -> Job? {
        state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.isBusy = false
                return nil
            }
            return state.waiting.removeFirst()
        }
    }
}

extension JobQueue {
    /// Does work on a thread of its own when its turn comes; nobody's thread waits for it.
    /// - Throws: what `body` throws, as `AudioLDM2Error`; `CancellationError` if the surrounding task is cancelled.
    func run<Value: Sendable>(_ body: @escaping @Sendable (CancellationFlag) throws -> Value) async throws -> Value {
        let cancellation = CancellationFlag()
        let ticket = Ticket()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Value, any Error>) in
                add(ticket) {
                    continuation.resume(
                        with: Result {
                            try AudioLDM2Error.translating {
                                try cancellation.check()
                                return try body(cancellation)
                            }
                        })
                } refused: { error in
                    continuation.resume(throwing: AudioLDM2Error.translated(error))
                }
            }
        } onCancel: {
            cancellation.cancel()
            withdraw(ticket)
        }
    }
}

/// Does work on a thread of its own.
/// - Throws: as `JobQueue.run` does.
package func onOwnThread<Value: Sendable>(
    _ body: @escaping @Sendable (CancellationFlag) throws -> Value
) async throws -> Value {
    try await JobQueue().run(body)
}
