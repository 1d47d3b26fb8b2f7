import AudioLDM2
import FoundationEssentials
import Synchronization
import Text

/// Takes samples while they are made, on the working thread, which waits for it; what it throws ends the work.
package typealias SampleReceiver =
    @Sendable (_ samples: [Float], _ sampleRate: Int, _ record: SoundRecord) throws -> Void

/// One order on its way: what is known of it, who listens, and what came of it.
package final class Job: Sendable {
    package let order: SoundOrder
    /// Settled when it was taken in: what it asks of the model.
    let options: SoundOptions
    let model: ServedModel
    /// Gets the samples while they are made, on the working thread; nil for a sound that is handed over whole.
    let stream: SampleReceiver?

    private struct Contents {
        var state: JobState
        var file: Data?
        var listeners: [Int: AsyncStream<JobState>.Continuation] = [:]
        var nextListener = 0
    }

    private let contents: Mutex<Contents>

    init(
        _ order: SoundOrder, options: SoundOptions, model: ServedModel,
        stream: SampleReceiver?
    ) {
        self.order = order
        self.options = options
        self.model = model
        self.stream = stream
        contents = Mutex(
            Contents(
                state: JobState(
                    id: Self.newID(), operation: order.operation, model: model.name, prompt: order.prompt,
                    createdAt: Date().timeIntervalSince1970)))
    }

    /// 128 bits of the system's randomness: whoever knows it may see the job.
    private static func newID() -> String {
        (0..<2).map { _ in String(printf: "%016lx", UInt64.random(in: 0...UInt64.max)) }.joined()
    }

    package var id: String { state.id }

    package var state: JobState { contents.withLock { $0.state } }

    /// The finished sound's file; nil as long as there is none, and once it was given up for others.
    package var file: Data? { contents.withLock { $0.file } }

    /// Forgets the file.
    func dropFile() { contents.withLock { $0.file = nil } }

    /// Changes what is known, unless the job has ended, and tells all who listen.
    /// - Returns: false if it had ended.
    @discardableResult
    func update(file: Data? = nil, _ change: (inout JobState) -> Void) -> Bool {
        let (isChanged, done) = contents.withLock { contents -> (Bool, [AsyncStream<JobState>.Continuation]) in
            guard !contents.state.status.isFinal else { return (false, []) }
            change(&contents.state)
            if let file { contents.file = file }
            if contents.state.status.isFinal { contents.state.finishedAt = Date().timeIntervalSince1970 }
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
