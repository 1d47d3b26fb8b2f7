import ArgumentParser
import Dispatch
import Foundation

/// Calls a handler, instead of ending the process, when the user interrupts it (Ctrl-C), its terminal goes, or it is asked
/// to end. A second signal of the same kind ends it at once.
package struct Interrupts {
    private static let signals = [SIGINT, SIGTERM, SIGHUP]
    private let sources: [any DispatchSourceSignal]

    package init(_ handler: @escaping @Sendable () -> Void) {
        sources = Self.signals.map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                signal(number, SIG_DFL)
                handler()
            }
            source.resume()
            return source
        }
    }

    /// Gives the signals their usual effect again.
    package func stop() {
        for source in sources { source.cancel() }
        for number in Self.signals { signal(number, SIG_DFL) }
    }
}

/// Does work that the user can stop (Ctrl-C): its task is cancelled, the note printed, and the command exits with 130.
/// - Parameter note: what has become of the work then; nil for nothing to say.
/// - Throws: what the work throws, `CancellationError` as `ExitCode`.
package func untilInterrupted(note: String?, _ work: @escaping @Sendable () async throws -> Void) async throws {
    let task = Task { try await work() }
    let interrupts = Interrupts { task.cancel() }
    defer { interrupts.stop() }
    do {
        try await task.value
    } catch is CancellationError {
        if let note { printNote("stopped; " + note) }
        throw ExitCode(130)
    }
}
