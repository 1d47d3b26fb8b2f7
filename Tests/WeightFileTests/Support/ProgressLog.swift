import Synchronization

/// Collects what a progress closure is told.
final class ProgressLog: Sendable {
    private let state = Mutex<(steps: [Int], totals: Set<Int>)>(([], []))

    var steps: [Int] { state.withLock { $0.steps } }
    var totals: Set<Int> { state.withLock { $0.totals } }

    func append(_ step: Int, of total: Int) {
        state.withLock {
            $0.steps.append(step)
            $0.totals.insert(total)
        }
    }
}
