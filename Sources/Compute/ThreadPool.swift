import CKernels
import Glibc
import Platform
import Synchronization
import Tensors

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
        // Who has a processor to themselves may wait for the next job there; others' time would be taken by it.
        shared = Shared(spins: self.threadCount > SystemProcessors.available ? 0 : 20000)
        if isIdle || self.threadCount == 1 { return }
        // Where the system has no more threads, those that are there do all tasks, and leave some for what cannot do without.
        let reserve = ThreadReserve()
        defer { reserve.end() }
        for worker in 1..<self.threadCount {
            do {
                try SystemThread.start("audioldm2-\(worker)", stackSize: 1 << 20) { [shared] in shared.work(as: worker)
                }
            } catch {
                break
            }
        }
    }

    deinit { shared.stop() }

    /// Calls `body(task, worker)` for every task below `count`; `worker` is below `threadCount` and tells threads apart.
    func run(_ count: Int, _ body: (_ task: Int, _ worker: Int) -> Void) {
        if isIdle { return }
        guard threadCount > 1, let tasks = UInt32(exactly: count), tasks > 1 else {
            for task in 0..<count { body(task, 0) }
            return
        }
        turn.withLock { _ in
            withoutActuallyEscaping(body) { body in
                withUnsafePointer(to: body) { shared.run($0, count: tasks) }
            }
        }
    }
}

/// What the threads and the pool share; outlives the pool until its threads have ended.
///
/// Nobody takes a lock but to sleep. `open` holds a job's number and how many of its tasks nobody has claimed, and a claim
/// changes both at once: if it succeeds, the job was still open, so that what was read of it before is its own.
private final class Shared: @unchecked Sendable {
    private typealias Body = (_ task: Int, _ worker: Int) -> Void

    private let open = Atomic<OpenTasks.RawValue>(0)
    private let body = Atomic<UnsafeRawPointer?>(nil)
    private let count = Atomic<UInt32>(0)
    private let finished = Atomic<UInt32>(0)

    private let condition = SystemCondition()
    private let sleepers = Atomic<Int>(0)
    private let isStopped = Atomic<Bool>(false)
    /// How often a thread looks for work before it sleeps, because most jobs follow at once.
    private let spins: Int

    init(spins: Int) { self.spins = spins }

    /// Returns when all tasks are done.
    func run(_ newBody: UnsafePointer<(_ task: Int, _ worker: Int) -> Void>, count newCount: UInt32) {
        body.store(UnsafeRawPointer(newBody), ordering: .relaxed)
        count.store(newCount, ordering: .relaxed)
        finished.store(0, ordering: .relaxed)
        let last = OpenTasks(rawValue: open.load(ordering: .relaxed))
        open.store(OpenTasks(job: last.job &+ 1, left: newCount).rawValue, ordering: .sequentiallyConsistent)
        wake(newCount - 1)
        runTasks(as: 0)
        var spins = 0
        while finished.load(ordering: .acquiring) < newCount {
            spins += 1
            if spins < self.spins { kernels_pause() } else { sched_yield() }
        }
    }

    private func runTasks(as worker: Int) {
        while true {
            let seen = OpenTasks(rawValue: open.load(ordering: .acquiring))
            guard seen.left > 0 else { return }
            let job = (body: body.load(ordering: .relaxed), count: count.load(ordering: .relaxed))
            let claim = OpenTasks(job: seen.job, left: seen.left - 1)
            guard
                open.compareExchange(
                    expected: seen.rawValue, desired: claim.rawValue, ordering: .acquiringAndReleasing
                ).exchanged
            else { continue }
            job.body?.assumingMemoryBound(to: Body.self).pointee(Int(job.count - seen.left), worker)
            finished.add(1, ordering: .releasing)
        }
    }

    private func wake(_ workers: UInt32) {
        let asleep = sleepers.load(ordering: .sequentiallyConsistent)
        if asleep == 0 { return }
        condition.lock()
        defer { condition.unlock() }
        for _ in 0..<min(asleep, Int(workers)) { condition.signal() }
    }

    func stop() {
        condition.lock()
        isStopped.store(true, ordering: .relaxed)
        condition.broadcast()
        condition.unlock()
    }

    func work(as worker: Int) {
        while !isStopped.load(ordering: .relaxed) {
            waitForTasks()
            runTasks(as: worker)
        }
    }

    private func waitForTasks() {
        for _ in 0..<spins {
            if hasTasks || isStopped.load(ordering: .relaxed) { return }
            kernels_pause()
        }
        condition.lock()
        defer { condition.unlock() }
        sleepers.add(1, ordering: .sequentiallyConsistent)
        while !hasTasks, !isStopped.load(ordering: .relaxed) { condition.wait() }
        sleepers.subtract(1, ordering: .relaxed)
    }

    private var hasTasks: Bool { OpenTasks(rawValue: open.load(ordering: .sequentiallyConsistent)).left > 0 }
}

/// A job's number, and how many of its tasks are still to be claimed.
private struct OpenTasks {
    let job: UInt32
    let left: UInt32

    init(job: UInt32, left: UInt32) { (self.job, self.left) = (job, left) }

    init(rawValue: UInt64) { (job, left) = (UInt32(rawValue >> 32), UInt32(truncatingIfNeeded: rawValue)) }

    var rawValue: UInt64 { UInt64(job) << 32 | UInt64(left) }

    typealias RawValue = UInt64
}
