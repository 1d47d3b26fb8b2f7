import AudioLDM2
import FoundationEssentials
import Synchronization
import Text

/// Takes samples while they are made, on the working thread, which waits for it; what it throws ends the work.
package typealias SampleReceiver =
    @Sendable (_ samples: [Float], _ sampleRate: Int, _ record: SoundRecord) throws -> Void

/// One order on its way: what is known of it, who listens, and what came of it.
package final class Job: Sendable {
    /// What is to be made of what, settled when it was taken in. It may hold a sound, so that it goes when the job ends.
    struct Assignment: Sendable {
        let order: SoundOrder
        /// What the order asks of the model.
        let options: SoundOptions
        /// Gets the samples while they are made, on the working thread; nil for a sound that is handed over whole.
        let stream: SampleReceiver?

        /// Whether it is done by itself: what is changed, chosen among candidates, or leaves while it is made.
        var isAlone: Bool {
            guard case .generate = order.work else { return true }
            return stream != nil || order.candidates > 1
        }
    }

    let model: ServedModel
    /// How the sound is stored.
    package let format: SoundFormat
    /// Of a sound of which no other is tried.
    package let seed: UInt64?

    private struct Contents {
        var state: JobState
        var assignment: Assignment?
        var file: Data?
        var isHandedOver = false
        var listeners: [Int: AsyncStream<JobState>.Continuation] = [:]
        var nextListener = 0
    }

    private let contents: Mutex<Contents>

    init(_ assignment: Assignment, model: ServedModel) {
        let order = assignment.order
        self.model = model
        format = order.format
        seed = assignment.options.seed
        contents = Mutex(
            Contents(
                state: JobState(
                    id: Self.newID(), operation: order.operation, model: model.name, prompt: order.prompt,
                    createdAt: Date().timeIntervalSince1970),
                assignment: assignment))
    }

    /// 128 bits of the system's randomness: whoever knows it may see the job.
    private static func newID() -> String {
        (0..<2).map { _ in String(printf: "%016lx", UInt64.random(in: 0...UInt64.max)) }.joined()
    }

    package var id: String { state.id }

    package var state: JobState { contents.withLock { $0.state } }

    /// Nil once the job has ended.
    var assignment: Assignment? { contents.withLock { $0.assignment } }

    /// The finished sound's file; nil as long as there is none, and once it was given up for others.
    package var file: Data? { contents.withLock { $0.file } }

    /// The finished sound's file, for the client that came for it.
    package func handOver() -> Data? {
        contents.withLock { contents in
            contents.isHandedOver = true
            return contents.file
        }
    }

    /// Whether there is a sound that nobody has come for.
    var isWaitedFor: Bool { contents.withLock { $0.file != nil && !$0.isHandedOver } }

    /// Forgets the file.
    /// - Returns: how many bytes it had.
    func dropFile() -> Int {
        contents.withLock { contents in
            defer { contents.file = nil }
            return contents.file?.count ?? 0
        }
    }

    /// Changes what is known, unless the job has ended, and tells all who listen.
    /// - Returns: false if it had ended.
    @discardableResult
    func update(file: Data? = nil, _ change: (inout JobState) -> Void) -> Bool {
        let (isChanged, done) = contents.withLock { contents -> (Bool, [AsyncStream<JobState>.Continuation]) in
            guard !contents.state.status.isFinal else { return (false, []) }
            change(&contents.state)
            if let file { contents.file = file }
            if contents.state.status.isFinal {
                contents.state.finishedAt = Date().timeIntervalSince1970
                contents.assignment = nil
            }
            // Within the lock, so that the newest state comes last.
            for listener in contents.listeners.values { listener.yield(contents.state) }
            guard contents.state.status.isFinal else { return (true, []) }
            defer { contents.listeners = [:] }
            return (true, Array(contents.listeners.values))
        }
        // Outside of it: a stream that ends tells us so.
        for listener in done { listener.finish() }
        return isChanged
    }

    /// What is known now, and all that follows; of several changes that nobody has taken the newest. Ends with the job.
    package func states() -> AsyncStream<JobState> {
        let (stream, continuation) = AsyncStream.makeStream(of: JobState.self, bufferingPolicy: .bufferingNewest(1))
        contents.withLock { contents in
            continuation.yield(contents.state)
            guard !contents.state.status.isFinal else { return continuation.finish() }
            let number = contents.nextListener
            contents.nextListener += 1
            contents.listeners[number] = continuation
            continuation.onTermination = { [weak self] _ in
                self?.contents.withLock { $0.listeners[number] = nil }
            }
        }
        return stream
    }

    /// Waits for the job's end.
    /// - Throws: `CancellationError` if the task is cancelled; the job goes on.
    package func end() async throws -> JobState {
        for await state in states() where state.status.isFinal { return state }
        try Task.checkCancellation()
        return state
    }
}
