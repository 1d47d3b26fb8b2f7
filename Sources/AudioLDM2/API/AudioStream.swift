import Audio
import Synchronization

/// A mono sound on its way into a pipe, block by block.
///
///     for try await block in pipeline.blocks("rain", options: options) { try stream.write(block) }
///     try stream.finish()
///
/// The process must ignore SIGPIPE (`signal(SIGPIPE, SIG_IGN)`), or it ends when the reader goes.
public final class AudioStream: Sendable {
    /// How samples are written.
    #if hasAttribute(nonexhaustive)
        @nonexhaustive
    #endif
    public enum Format: String, CaseIterable, Sendable {
        /// Samples behind a header.
        case wav
        /// Samples, little-endian, and nothing else.
        case raw
        /// FLAC, which holds no floats.
        case flac
    }

    private struct State {
        var stream: SoundStream?
        var readerIsGone = false
    }

    private let state = Mutex(State())
    private let format: Format
    private let descriptor: Int32
    private let sampleRate: Int
    private let record: SoundRecord

    /// Writes nothing yet.
    /// - Parameters:
    ///   - descriptor: stays open.
    ///   - record: of the sound to come, from `AudioLDM2Pipeline.record(of:options:)`; says how long it will be, and how samples
    ///     are stored: as integers of 16 bits, unless it says so. A sound whose ends are trimmed is as long as its result's record
    ///     says.
    public init(_ format: Format, to descriptor: Int32, sampleRate: Int, record: SoundRecord) {
        self.format = format
        self.descriptor = descriptor
        self.sampleRate = sampleRate
        self.record = record
    }

    /// True once somebody closed the other end of the pipe.
    public var readerIsGone: Bool { state.withLock { $0.readerIsGone } }

    /// - Throws: `CancellationError` once nobody reads any more; `AudioLDM2Error` of kind `.file`.
    public func write(_ samples: [Float]) throws {
        try AudioLDM2Error.translating {
            try state.withLock { state in
                let stream = try state.stream ?? open()
                state.stream = stream
                if try stream.append(samples) == .readerGone { state.readerIsGone = true }
            }
            if readerIsGone { throw CancellationError() }
        }
    }

    /// Writes what an encoder still holds.
    public func finish() throws {
        try AudioLDM2Error.translating { try state.withLock { try $0.stream?.finish() } }
    }

    private func open() throws -> SoundStream {
        let format: SoundStream.Format =
            switch format {
            case .wav: .wav
            case .raw: .raw
            case .flac: .flac
            }
        return try SoundStream(
            format, to: descriptor, sampleRate: sampleRate,
            frameCount: Int((record.seconds * Double(sampleRate)).rounded()),
            encoding: record.encoding?.stored ?? .pcm16, metadata: record.metadata)
    }
}
