import Synchronization
import Tensors

/// Counts what operations cost, for benchmarks.
package final class OperationMeter: Sendable {
    private struct State {
        var isEnabled = false
        var totals: [String: OperationTotal] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    /// An operation that has begun.
    package struct Span {
        fileprivate let name: String
        fileprivate let products: Int
        fileprivate let start: ContinuousClock.Instant
    }

    package var isEnabled: Bool { state.withLock { $0.isEnabled } }

    /// Forgets everything and counts from now on.
    package func enable() { state.withLock { $0 = State(isEnabled: true) } }

    /// What was counted since `enable`, by operation.
    package var totals: [String: OperationTotal] { state.withLock { $0.totals } }

    /// - Parameter products: multiply-accumulates that the operation does.
    package func begin(_ name: String, products: Int = 0) -> Span? {
        guard state.withLock({ $0.isEnabled }) else { return nil }
        return Span(name: name, products: products, start: .now)
    }

    package func end(_ span: Span?) {
        guard let span else { return }
        let seconds = (ContinuousClock.now - span.start) / .seconds(1)
        state.withLock { state in
            state.totals[span.name, default: OperationTotal()].add(seconds: seconds, products: span.products)
        }
    }
}
