import CSndfile
import Glibc

/// A sound on its way into a pipe: written block by block and never gone back over.
package final class SoundStream {
    package enum Format: String, CaseIterable, Sendable {
        /// 16-bit integers behind a header that says how many there will be.
        case wav
        /// 16-bit integers, little-endian, and nothing else.
        case raw
        case flac
    }

    /// What became of a block.
    package enum Outcome { case written, readerGone }

    private let descriptor: Int32
    private let encoder: FLACPipe?
    private var isOpen = true

    /// Writes the header.
    /// - Parameters:
    ///   - descriptor: stays open when the stream ends. Writing to it must not raise SIGPIPE.
    ///   - frameCount: how many samples will come; mono.
    /// - Throws: `AudioError.cannotWrite`.
    package init(
        _ format: Format, to descriptor: Int32, sampleRate: Int, frameCount: Int, metadata: SoundMetadata
    ) throws {
        self.descriptor = descriptor
        encoder =
            format == .flac
            ? try FLACPipe(to: descriptor, sampleRate: sampleRate, frameCount: frameCount, metadata: metadata) : nil
        if format == .wav {
            let header = WAVHeader(sampleRate: sampleRate, frameCount: frameCount, metadata: metadata)
            isOpen = try header.bytes.withUnsafeBytes { try Self.write($0, to: descriptor) }
        }
    }

    /// - Parameter samples: in −1…1; what is beyond is clipped.
    /// - Throws: `AudioError.cannotWrite`, but not if nobody reads any more.
    package func append(_ samples: [Float]) throws -> Outcome {
        guard isOpen else { return .readerGone }
        if let encoder {
            isOpen = try encoder.append(samples)
        } else {
            let values = samples.map { sample in
                Int16(min((max(sample, -1) * 32768).rounded(.toNearestOrEven), 32767)).littleEndian
            }
            isOpen = try values.withUnsafeBytes { try Self.write($0, to: descriptor) }
        }
        return isOpen ? .written : .readerGone
    }

    /// Ends the sound.
    package func finish() throws { try encoder?.finish() }

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

/// The head of a WAV file: format, texts, and how many samples follow.
private struct WAVHeader {
    let bytes: [UInt8]

    init(sampleRate: Int, frameCount: Int, metadata: SoundMetadata) {
        func number(_ value: Int, _ byteCount: Int) -> [UInt8] {
            (0..<byteCount).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        func chunk(_ name: String, _ body: [UInt8]) -> [UInt8] {
            Array(name.utf8) + number(body.count, 4) + body + (body.count % 2 == 1 ? [0] : [])
        }
        let format =
            number(1, 2) + number(1, 2) + number(sampleRate, 4) + number(2 * sampleRate, 4) + number(2, 2)
            + number(16, 2)
        let texts = [
            ("INAM", metadata.title), ("ICMT", metadata.comment), ("ISFT", metadata.software),
            ("ICOP", metadata.license),
        ].flatMap { name, text in text.map { chunk(name, Array(SoundMetadata.cut($0).utf8) + [0]) } ?? [] }
        let head = chunk("fmt ", format) + chunk("LIST", Array("INFO".utf8) + texts)
        // A length of a RIFF file has 32 bits; beyond them readers go on to the end.
        let data = min(2 * frameCount, Int(UInt32.max) - head.count - 12)
        bytes =
            Array("RIFF".utf8) + number(4 + head.count + 8 + data, 4) + Array("WAVE".utf8) + head
            + Array("data".utf8) + number(data, 4)
    }
}
