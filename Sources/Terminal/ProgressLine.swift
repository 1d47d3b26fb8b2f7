import Glibc
import Synchronization

/// One line on standard error that is written over and over: what is being done, how far it is, how long it will take.
///
/// Silent unless standard error is a terminal.
package final class ProgressLine: Sendable {
    private struct State {
        var label = ""
        var start = ContinuousClock.now
        var lastShown: ContinuousClock.Instant?
    }

    private let isShown: Bool
    private let state = Mutex(State())
    private static let interval = Duration.milliseconds(100)
    private static let clearLine = "\r\u{1B}[K"

    package init(quiet: Bool) { isShown = !quiet && isatty(STDERR_FILENO) == 1 }

    /// - Parameters:
    ///   - label: what is being done; a new one starts a new estimate.
    ///   - share: of it that is done, 0…1.
    ///   - detail: shown between the two, such as "step 3 of 25".
    package func show(_ label: String, share: Double, detail: String = "") {
        guard isShown else { return }
        state.withLock { state in
            let now = ContinuousClock.now
            if label != state.label { (state.label, state.start, state.lastShown) = (label, now, nil) }
            guard state.lastShown.map({ now - $0 >= Self.interval }) ?? true else { return }
            state.lastShown = now
            let elapsed = (now - state.start) / .seconds(1)
            let left = share > 0 && share < 1 ? "\(Int((elapsed * (1 - share) / share).rounded(.up))) s left" : ""
            let parts = ["\(Int(share * 100)) %", label, detail, left].filter { !$0.isEmpty }
            write(Self.clearLine + parts.joined(separator: "  "))
        }
    }

    /// Removes the line, so that something else can be printed.
    package func clear() {
        guard isShown else { return }
        state.withLock { state in
            if state.lastShown != nil { write(Self.clearLine) }
            state.lastShown = nil
        }
    }

    private func write(_ text: String) { writeError(text) }
}
