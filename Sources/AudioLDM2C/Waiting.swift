import CAudioLDM2
import Dispatch
import Synchronization

/// Waits on the caller's thread for asynchronous work, and takes what it says on the way there.
final class Waiting<Value: Sendable, Message: Sendable>: Sendable {
    private struct State: Sendable {
        var messages: [Message] = []
        var result: Result<Value, any Error>?
    }

    private let state = Mutex(State())
    private let change = DispatchSemaphore(value: 0)

    /// - Parameters:
    ///   - period: the longest time between two calls of `heard`, in milliseconds; nil for no call without a message.
    ///   - heard: takes messages in order, or nothing, and says whether to go on; on the caller's thread.
    ///   - work: gets what messages are sent by.
    /// - Throws: what the work throws; `CancellationError` if it was to stop; `ArgumentError` in a child of a process that worked.
    static func wait(
        period: Int?, heard: ([Message]) -> Bool,
        for work: @escaping @Sendable (@escaping @Sendable (Message) -> Void) async throws -> Value
    ) throws -> Value {
        guard begin_audioldm2_work() else {
            throw ArgumentError(
                "this process was forked from one that had used the library, whose threads it lacks; fork before the first "
                    + "call, or start another program (Python's multiprocessing: \"spawn\")")
        }
        let waiting = Waiting()
        let task = Task.detached {
            do {
                waiting.put(.success(try await work(waiting.send)))
            } catch {
                waiting.put(.failure(error))
            }
        }
        var goesOn = true
        while true {
            if let period, goesOn {
                _ = waiting.change.wait(timeout: .now() + .milliseconds(period))
            } else {
                waiting.change.wait()
            }
            let (messages, result) = waiting.take()
            if goesOn, result == nil || !messages.isEmpty { goesOn = heard(messages) }
            if !goesOn { task.cancel() }
            guard let result else { continue }
            guard goesOn else { throw CancellationError() }
            return try result.get()
        }
    }

    private func send(_ message: Message) {
        state.withLock { $0.messages.append(message) }
        change.signal()
    }

    private func put(_ result: Result<Value, any Error>) {
        state.withLock { $0.result = result }
        change.signal()
    }

    private func take() -> ([Message], Result<Value, any Error>?) {
        state.withLock { state in
            defer { state.messages = [] }
            return (state.messages, state.result)
        }
    }
}

extension Waiting where Message == Never {
    /// - Throws: what the work throws.
    static func wait(for work: @escaping @Sendable () async throws -> Value) throws -> Value {
        try wait(period: nil, heard: { _ in true }, for: { _ in try await work() })
    }
}
