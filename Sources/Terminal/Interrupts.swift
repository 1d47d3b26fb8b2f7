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
