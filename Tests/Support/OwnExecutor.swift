import Dispatch

/// Runs a task's code on a queue of its own: tests that wait for commands hold the threads that all tasks share.
package final class OwnExecutor: TaskExecutor {
    private let queue = DispatchQueue(label: "audioldm2.tests")

    package init() {}

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
