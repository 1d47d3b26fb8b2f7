import CSndfile
import Glibc

/// libsndfile's FLAC encoder in front of a pipe. What it writes when it goes back to the start is lost: the sizes of frames
/// and a checksum, which FLAC allows to be unknown, and the length, which is put into the header on its way.
final class FLACPipe {
    private final class Output {
        let descriptor: Int32
        private let frameCount: Int
        var position = 0
        var length = 0
        var isOpen = true
        var failure: (any Error)?

        init(_ descriptor: Int32, frameCount: Int) {
            self.descriptor = descriptor
            self.frameCount = frameCount
        }

        func write(_ bytes: UnsafeRawBufferPointer) {
            defer { position += bytes.count }
            guard position == length, isOpen, failure == nil else { return }
            length += bytes.count
            do {
                isOpen =
                    if position < Self.lengthEnd {
                        try withLength(bytes).withUnsafeBytes { try SoundStream.write($0, to: descriptor) }
                    } else {
                        try SoundStream.write(bytes, to: descriptor)
                    }
            } catch {
                failure = error
            }
        }

        /// Where the length ends: it has 36 bits (RFC 9639, 8.2). A longer sound's stays unknown.
        private static let lengthEnd = 26

        private func withLength(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
            var bytes = Array(bytes)
            guard frameCount < 1 << 36 else { return bytes }
            for index in 0..<5 {
                let place = Self.lengthEnd - 1 - index - position
                if bytes.indices.contains(place) {
                    bytes[place] |= UInt8(truncatingIfNeeded: frameCount >> (8 * index))
                }
            }
            return bytes
        }
    }

    private let output: Output
    private let encoding: SampleEncoding
    private var file: OpaquePointer?

    /// - Throws: `AudioError.cannotWrite`, `AudioError.unsupported`.
    init(
        to descriptor: Int32, sampleRate: Int, frameCount: Int, encoding: SampleEncoding, metadata: SoundMetadata
    ) throws {
        self.encoding = encoding
        var info = try StoredFormat(
            frames: frameCount, channels: 1, sampleRate: sampleRate, container: .flac, path: "standard output",
            encoding: encoding
        ).info
        output = Output(descriptor, frameCount: frameCount)
        var calls = SF_VIRTUAL_IO(
            get_filelen: { sf_count_t(FLACPipe.output($0)?.length ?? 0) },
            seek: { offset, whence, user in
                guard let output = FLACPipe.output(user) else { return -1 }
                switch whence {
                case SEEK_SET: output.position = Int(offset)
                case SEEK_CUR: output.position += Int(offset)
                default: output.position = output.length + Int(offset)
                }
                return sf_count_t(output.position)
            },
            read: { _, _, _ in 0 },
            write: { bytes, count, user in
                FLACPipe.output(user)?.write(UnsafeRawBufferPointer(start: bytes, count: Int(count)))
                return count
            },
            tell: { sf_count_t(FLACPipe.output($0)?.position ?? 0) })
        file = sf_open_virtual(&calls, Int32(SFM_WRITE), &info, Unmanaged.passUnretained(output).toOpaque())
        guard let file else {
            throw AudioError.cannotWrite(path: "standard output", reason: SndfileHandle.openError)
        }
        for case (let kind, let text?) in [
            (SF_STR_TITLE, metadata.title), (SF_STR_COMMENT, metadata.comment), (SF_STR_SOFTWARE, metadata.software),
            (SF_STR_LICENSE, metadata.license),
        ] {
            sf_set_string(file, Int32(kind), SoundMetadata.cut(text))
        }
    }

    deinit { if let file { sf_close(file) } }

    /// - Returns: false if nobody reads any more.
    func append(_ samples: [Float]) throws -> Bool {
        guard let file else { return output.isOpen }
        for start in stride(from: 0, to: samples.count, by: SndfileHandle.block) {
            _ = encoding.write(samples[start..<min(start + SndfileHandle.block, samples.count)], to: file)
        }
        if let failure = output.failure { throw failure }
        return output.isOpen
    }

    func finish() throws {
        if let file { sf_close(file) }
        file = nil
        if let failure = output.failure { throw failure }
    }

    private static func output(_ user: UnsafeMutableRawPointer?) -> Output? {
        user.map { Unmanaged<Output>.fromOpaque($0).takeUnretainedValue() }
    }
}
