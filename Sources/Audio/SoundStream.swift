import CSndfile
import Glibc

/// A sound on its way into a pipe: written block by block and never gone back over.
package final class SoundStream {
    package enum Format: String, CaseIterable, Sendable {
        /// Samples behind a header that says how many there will be.
        case wav
        /// Samples, little-endian, and nothing else.
        case raw
        case flac
    }

    /// What became of a block.
    package enum Outcome { case written, readerGone }

    private let descriptor: Int32
    private let encoding: SampleEncoding
    private let encoder: FLACPipe?
    /// Whether a byte must follow if there is an odd number of them.
    private let isPadded: Bool
    private var byteCount = 0
    private var isOpen = true

    /// Writes the header.
    /// - Parameters:
    ///   - descriptor: stays open when the stream ends. Writing to it must not raise SIGPIPE.
    ///   - frameCount: how many samples will come; mono.
    ///   - encoding: not floats in FLAC.
    /// - Throws: `AudioError.cannotWrite`, `AudioError.unsupported`.
    package init(
        _ format: Format, to descriptor: Int32, sampleRate: Int, frameCount: Int, encoding: SampleEncoding = .pcm16,
        metadata: SoundMetadata
    ) throws {
        self.descriptor = descriptor
        self.encoding = encoding
        isPadded = format == .wav
        encoder =
            format == .flac
            ? try FLACPipe(
                to: descriptor, sampleRate: sampleRate, frameCount: frameCount, encoding: encoding, metadata: metadata)
            : nil
        if format == .wav {
            let header = WAVHeader(
                sampleRate: sampleRate, frameCount: frameCount, encoding: encoding, metadata: metadata)
            isOpen = try header.bytes.withUnsafeBytes { try Self.write($0, to: descriptor) }
        }
    }

    /// - Parameter samples: in −1…1; what is beyond is clipped where integers are written.
    /// - Throws: `AudioError.cannotWrite`, but not if nobody reads any more.
    package func append(_ samples: [Float]) throws -> Outcome {
        guard isOpen else { return .readerGone }
        if let encoder {
            isOpen = try encoder.append(samples)
        } else {
            var bytes: [UInt8] = []
            bytes.reserveCapacity(samples.count * encoding.byteCount)
            for sample in samples { encoding.appendBytes(of: sample, to: &bytes) }
            byteCount += bytes.count
            isOpen = try bytes.withUnsafeBytes { try Self.write($0, to: descriptor) }
        }
        return isOpen ? .written : .readerGone
    }

    /// Ends the sound.
    package func finish() throws {
        try encoder?.finish()
        guard isOpen, isPadded, byteCount % 2 == 1 else { return }
        isOpen = try [UInt8(0)].withUnsafeBytes { try Self.write($0, to: descriptor) }
    }

    /// - Returns: false if nobody reads any more.
    static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) throws -> Bool {
        var written = 0
        while written < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
            let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
            if count < 0 {
                if errno == EINTR { continue }
                if errno == EPIPE { return false }
                throw AudioError.cannotWrite(path: "standard output", reason: systemReason(errno))
            }
            written += count
        }
        return true
    }
}
