import Dispatch
import Synchronization

/// The samples of a sound while it is made, in order, block by block.
///
///     for try await block in pipeline.blocks("heavy rain", options: .init(seconds: 600)) {
///         player.schedule(block)
///     }
///
/// The work begins with the iteration, waits while a few blocks have not been taken, and stops soon after the iteration is given
/// up or its task cancelled. As long as it goes on, it is the pipeline's turn: what else is asked of the same pipeline waits
/// until the last block is made, so it must not be waited for between two blocks. A sequence is iterated once.
public struct SoundBlocks: AsyncSequence, Sendable {
    /// Samples in −1…1, interleaved if there are several channels.
    public typealias Element = [Float]

    /// Of each channel, in Hz.
    public let sampleRate: Int
    /// 1 for what is made of nothing; a changed sound keeps its channels.
    public let channels: Int
    let start: @Sendable (SoundBlockChannel) -> AsyncThrowingStream<SoundEvent, any Error>
    let onEvent: @Sendable (SoundEvent) -> Void

    /// Begins the work.
    public func makeAsyncIterator() -> Iterator { Iterator(self) }

    /// Hands over block by block.
    public struct Iterator: AsyncIteratorProtocol {
        private let channel = SoundBlockChannel()
        private let owner: Owner

        /// Ends the work when the iterator goes.
        private final class Owner: Sendable {
            let work: Task<Void, Never>
            let channel: SoundBlockChannel

            init(_ work: Task<Void, Never>, _ channel: SoundBlockChannel) {
                self.work = work
                self.channel = channel
            }

            deinit {
                work.cancel()
                channel.close()
            }
        }

        init(_ blocks: SoundBlocks) {
            let channel = channel
            let task = Task {
                do {
                    for try await event in blocks.start(channel) { blocks.onEvent(event) }
                    channel.finish(Task.isCancelled ? CancellationError() : nil)
                } catch {
                    channel.finish(error)
                }
            }
            owner = Owner(task, channel)
        }

        /// The next block; nil at the sound's end.
        /// - Throws: `AudioLDM2Error`; `CancellationError`.
        public mutating func next() async throws -> [Float]? {
            try await withTaskCancellationHandler {
                try await channel.next()
            } onCancel: { [owner] in
                owner.work.cancel()
                owner.channel.close()
            }
        }
    }
}

/// Blocks on their way from the thread that makes them to the task that takes them.
final class SoundBlockChannel: Sendable {
    private struct State {
        var blocks: [[Float]] = []
        /// Nil until the last block is there.
        var end: Result<Void, any Error>?
        var isClosed = false
        /// Whether the maker waits for room.
        var makerWaits = false
        var takers: [CheckedContinuation<[Float]?, any Error>] = []
    }

    private let state = Mutex(State())
    /// Wakes the maker. It begins at 0: a semaphore must not be freed with less than it began with.
    private let room = DispatchSemaphore(value: 0)
    /// Blocks that may wait to be taken.
    private static let most = 4

    /// Waits until there is room. On the working thread.
    /// - Throws: `CancellationError` if nobody takes blocks any more.
    func send(_ block: [Float]) throws {
        while true {
            let taker = try state.withLock { state -> CheckedContinuation<[Float]?, any Error>?? in
                if state.isClosed { throw CancellationError() }
                if !state.takers.isEmpty { return .some(state.takers.removeFirst()) }
                guard state.blocks.count < Self.most else {
                    state.makerWaits = true
                    return .none
                }
                state.blocks.append(block)
                return .some(nil)
            }
            if let taker {
                taker?.resume(returning: block)
                return
            }
            room.wait()
        }
    }

    /// No more blocks come.
    func finish(_ error: (any Error)?) {
        let end: Result<Void, any Error> = error.map { .failure($0) } ?? .success(())
        let takers = state.withLock { state in
            state.end = state.end ?? end
            defer { state.takers = [] }
            return state.takers
        }
        for taker in takers { taker.resume(with: end.map { nil }) }
    }

    /// No more blocks are taken.
    func close() {
        let (takers, makerWaits) = state.withLock { state in
            state.isClosed = true
            state.blocks = []
            defer {
                state.takers = []
                state.makerWaits = false
            }
            return (state.takers, state.makerWaits)
        }
        if makerWaits { room.signal() }
        for taker in takers { taker.resume(throwing: CancellationError()) }
    }

    func next() async throws -> [Float]? {
        try await withCheckedThrowingContinuation { continuation in
            let (found, makerWaits) = state.withLock { state -> (Result<[Float]?, any Error>?, Bool) in
                if state.isClosed { return (.failure(CancellationError()), false) }
                if !state.blocks.isEmpty {
                    defer { state.makerWaits = false }
                    return (.success(state.blocks.removeFirst()), state.makerWaits)
                }
                if let end = state.end { return (end.map { nil }, false) }
                state.takers.append(continuation)
                return (nil, false)
            }
            if makerWaits { room.signal() }
            if let found { continuation.resume(with: found) }
        }
    }
}

extension AudioLDM2Pipeline {
    /// Makes a sound whose samples are handed over as they are ready: of long sounds the first ones long before the last, unless
    /// `trimsSilence`, `normalization` or another rate for a loop need all of it.
    /// - Parameter onEvent: hears of plan, progress, warnings and the result, whose clip is empty.
    public func blocks(
        _ prompt: String, options: SoundOptions = .init(), onEvent: @escaping @Sendable (SoundEvent) -> Void = { _ in }
    ) -> SoundBlocks {
        SoundBlocks(
            sampleRate: options.sampleRate ?? sampleRate, channels: 1,
            start: { [self] channel in
                events(prompt, options: options, streamingTo: { try channel.send($0) })
            }, onEvent: onEvent)
    }

    /// Changes a sound, as `edit` does, and hands its samples over as they are ready: those before the first part that is made
    /// anew at once.
    /// - Parameter onEvent: as for `blocks(_:options:onEvent:)`.
    public func blocks(
        editing clip: AudioClip, _ prompt: String, plan: EditPlan, options: SoundOptions = .init(),
        onEvent: @escaping @Sendable (SoundEvent) -> Void = { _ in }
    ) -> SoundBlocks {
        SoundBlocks(
            sampleRate: plan.sampleRate(of: clip, modelRate: sampleRate), channels: plan.channels(of: clip),
            start: { [self] channel in
                events(editing: clip, prompt, plan: plan, options: options, streamingTo: { try channel.send($0) })
            }, onEvent: onEvent)
    }
}
