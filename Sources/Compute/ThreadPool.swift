import CKernels
import Foundation
import Synchronization

/// A fixed set of threads that run numbered tasks together with the caller.
///
/// Tasks are handed out by a shared counter, so which thread runs which task varies, and no result may depend on it:
/// operations cut their work at fixed places whatever the number of threads.
final class ThreadPool: Sendable {
    let threadCount: Int
    /// True for a pool without threads, which runs nothing.
    private let isIdle: Bool
    private let shared: Shared
    /// One job at a time: callers from several tasks take turns.
    private let turn = Mutex(())

    /// - Parameter isIdle: for a counting backend, which computes nothing.
    init(threadCount: Int, isIdle: Bool = false) {
        self.threadCount = max(1, threadCount)
        self.isIdle = isIdle
        shared = Shared()
        if isIdle { return }
        for worker in 1..<self.threadCount {
            let thread = Thread { [shared] in shared.work(as: worker) }
            thread.name = "audioldm2-\(worker)"
            thread.stackSize = 1 << 20
            thread.start()
        }
    }

    deinit { shared.stop() }

    /// Calls `body(task, worker)` for every task below `count`; `worker` is below `threadCount` and tells threads apart.
    func run(_ count: Int, _ body: (_ task: Int, _ worker: Int) -> Void) {
        if isIdle { return }
        if count <= 1 || threadCount == 1 {
            for task in 0..<count { body(task, 0) }
            return
        }
        turn.withLock { _ in
            withoutActuallyEscaping(body) { body in
                withUnsafePointer(to: body) {
                    shared.run(Job(body: $0, count: count), workers: min(threadCount, count) - 1)
                }
            }
        }
    }
}

/// One call of `run`. Workers may hold a job for a moment longer than its caller, but are done with its closure before.
private final class Job: @unchecked Sendable {
    private let body: UnsafePointer<(Int, Int) -> Void>
    private let count: Int
    private let next = Atomic<Int>(0)
    /// Workers that have joined and not left yet.
    let busyWorkers = Atomic<Int>(0)

    init(body: UnsafePointer<(Int, Int) -> Void>, count: Int) {
        (self.body, self.count) = (body, count)
    }

    func runTasks(as worker: Int) {
        while true {
            let task = next.add(1, ordering: .relaxed).oldValue
            guard task < count else { return }
            body.pointee(task, worker)
        }
    }
}

/// What the threads and the pool share; outlives the pool until its threads have ended.
private final class Shared: @unchecked Sendable {
    private let condition = NSCondition()
    private var job: Job?
    private var isStopped = false
    /// Counts jobs; a worker spins on it for a moment before it sleeps, because most jobs follow at once.
    private let generation = Atomic<Int>(0)
    private static let spins = 20000

    /// Workers that come too late find no job; only those that joined are waited for.
    func run(_ job: Job, workers: Int) {
        setJob(job, waking: workers)
        job.runTasks(as: 0)
        setJob(nil, waking: 0)
        var spins = 0
        while job.busyWorkers.load(ordering: .acquiring) > 0 {
            spins += 1
            if spins < Self.spins { kernels_pause() } else { sched_yield() }
        }
    }

    private func setJob(_ newJob: Job?, waking workers: Int) {
        condition.lock()
        defer { condition.unlock() }
        job = newJob
        guard newJob != nil else { return }
        generation.add(1, ordering: .releasing)
        for _ in 0..<workers { condition.signal() }
    }

    func stop() {
        condition.lock()
        isStopped = true
        generation.add(1, ordering: .releasing)
        condition.broadcast()
        condition.unlock()
    }

    func work(as worker: Int) {
        var seen = 0
        while true {
            switch nextTurn(after: &seen) {
            case .stop: return
            case .late: continue
            case .join(let job):
                job.runTasks(as: worker)
                job.busyWorkers.subtract(1, ordering: .releasing)
            }
        }
    }

    private enum Turn {
        case join(Job)
        /// The job was done before this worker woke up.
        case late
        case stop
    }

    private func nextTurn(after seen: inout Int) -> Turn {
        var spins = 0
        while generation.load(ordering: .acquiring) == seen, spins < Self.spins {
            spins += 1
            kernels_pause()
        }
        condition.lock()
        defer { condition.unlock() }
        while generation.load(ordering: .relaxed) == seen { condition.wait() }
        seen = generation.load(ordering: .relaxed)
        if isStopped { return .stop }
        guard let job else { return .late }
        job.busyWorkers.add(1, ordering: .relaxed)
        return .join(job)
    }
}
