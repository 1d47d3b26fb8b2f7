import ArgumentParser
import Dispatch
import Glibc
import Synchronization

/// Calls a handler, instead of ending the process, when the user interrupts it (Ctrl-C), its terminal goes, or it is asked
/// to end. A second signal ends it at once.
package struct Interrupts {
    private let signals: [Int32]
    private let sources: [any DispatchSourceSignal]

    /// - Parameter handler: gets the signal's number.
    package init(_ handler: @escaping @Sendable (Int32) -> Void) {
        // Whoever started the program with `nohup` wants it to outlive the terminal.
        let signals = Self.isIgnored(SIGHUP) ? [SIGINT, SIGTERM] : [SIGINT, SIGTERM, SIGHUP]
        self.signals = signals
        sources = signals.map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                for number in signals { signal(number, SIG_DFL) }
                handler(number)
            }
            source.resume()
            return source
        }
    }

    /// Gives the signals their usual effect again.
    package func stop() {
        for source in sources { source.cancel() }
        for number in signals { signal(number, SIG_DFL) }
    }

    private static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        guard sigaction(number, nil, &action) == 0 else { return false }
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
            == unsafeBitCast(SIG_IGN, to: Int.self)
    }
}

/// Does work that the user can stop (Ctrl-C): its task is cancelled, the note printed, and the command exits as shells say of
/// a process that a signal ended: with 130 for Ctrl-C, 143 if it was asked to end (`kill`), 129 if its terminal went.
/// - Parameter note: what has become of the work then; nil for nothing to say.
/// - Throws: what the work throws, `CancellationError` as `ExitCode`.
package func untilInterrupted(note: String?, _ work: @escaping @Sendable () async throws -> Void) async throws {
    let task = Task { try await work() }
    let first = FirstSignal()
    let interrupts = Interrupts { number in
        first.number.withLock { $0 = $0 ?? number }
        task.cancel()
    }
    defer { interrupts.stop() }
    do {
        try await task.value
    } catch is CancellationError {
        if let note { printNote("stopped; " + note) }
        throw ExitCode(128 + (first.number.withLock(\.self) ?? SIGINT))
    }
}

private final class FirstSignal: Sendable {
    let number = Mutex<Int32?>(nil)
}
