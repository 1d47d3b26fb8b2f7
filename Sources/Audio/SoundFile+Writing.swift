import CSndfile
import Foundation

extension SoundFile {
    /// Writes a sound in the format that the extension names: `.wav`, `.flac` or `.ogg` (Vorbis).
    ///
    /// The file appears complete or not at all, and its bytes depend on the arguments alone. Samples beyond ±1 are
    /// clipped to it, but for those of float WAV files. Texts of the metadata are cut at 4096 bytes.
    /// - Parameter encoding: 16-bit integers unless given; not for Vorbis.
    /// - Returns: how many samples were clipped.
    /// - Throws: `AudioError`.
    @discardableResult
    package static func write(
        _ sound: Sound, to path: String, encoding: SampleEncoding? = nil, metadata: SoundMetadata = SoundMetadata()
    ) throws -> Int {
        let format = try SoundFormat(of: sound, path: path, encoding: encoding)
        try checkSamples(sound)
        try replaceFile(at: path) { file in
            try encode(sound, as: format, metadata: metadata, to: file.descriptor, path: path)
        }
        return format.clips ? sound.samples.count { abs($0) > 1 } : 0
    }

    /// Writes what becomes the file at `path` into an empty one that is open for reading and writing.
    package static func encode(
        _ sound: Sound, as format: SoundFormat, metadata: SoundMetadata, to descriptor: Int32, path: String
    ) throws {
        try writeSamples(of: sound, as: format, metadata: metadata, to: descriptor, path: path)
        if format.container == .ogg { try setOggSerialNumber(descriptor: descriptor, path: path) }
        try checkLength(of: sound, descriptor: descriptor, path: path)
    }

    private static func checkSamples(_ sound: Sound) throws {
        guard !sound.samples.isEmpty else { throw AudioError.invalidSamples(reason: "there are none") }
        guard sound.samples.count % sound.channels == 0 else {
            throw AudioError.invalidSamples(
                reason: "\(sound.samples.count) do not divide into \(sound.channels) channels")
        }
        if let index = sound.samples.firstIndex(where: \.isNaN) {
            throw AudioError.invalidSamples(reason: "sample \(index) is not a number")
        }
    }

    private static func writeSamples(
        of sound: Sound, as format: SoundFormat, metadata: SoundMetadata, to descriptor: Int32, path: String
    ) throws {
        func failed(_ reason: String) -> AudioError {
            .cannotWrite(path: path, reason: errno == 0 ? reason : systemReason(errno))
        }
        errno = 0
        guard let file = SndfileHandle(descriptor: descriptor, mode: SFM_WRITE, info: format.info) else {
            throw failed(SndfileHandle.openError)
        }
        // The peak chunk of float files holds the time of day.
        sf_command(file.pointer, Int32(SFC_SET_ADD_PEAK_CHUNK), nil, Int32(SF_FALSE))
        let texts = [
            (SF_STR_TITLE, metadata.title), (SF_STR_COMMENT, metadata.comment), (SF_STR_SOFTWARE, metadata.software),
            (format.container == .wav ? SF_STR_COPYRIGHT : SF_STR_LICENSE, metadata.license),
        ]
        for case (let kind, let text?) in texts where !text.isEmpty {
            guard sf_set_string(file.pointer, Int32(kind), SoundMetadata.cut(text)) != 0 else { continue }
            throw AudioError.cannotWrite(path: path, reason: file.error ?? "its texts were refused")
        }
        let blockCount = SndfileHandle.block * sound.channels
        for start in stride(from: 0, to: sound.samples.count, by: blockCount) {
            let block = sound.samples[start..<min(start + blockCount, sound.samples.count)].map(format.written)
            let written = sf_write_float(file.pointer, block, sf_count_t(block.count))
            guard Int(written) == block.count else { throw failed(file.error ?? "not all samples were taken") }
        }
        // Not synced here: libsndfile would take an error of the disk, which the system tells once, and say nothing.
        if let error = file.error { throw failed(error) }
    }

    /// libsndfile does not tell of every failed write, least of all when it closes a file: read back what it says.
    private static func checkLength(of sound: Sound, descriptor: Int32, path: String) throws {
        lseek(descriptor, 0, SEEK_SET)
        let written = SndfileHandle(descriptor: descriptor, mode: SFM_READ)
        guard let written, Int(written.info.frames) == sound.samples.count / sound.channels else {
            throw AudioError.cannotWrite(
                path: path, reason: "the file is incomplete; is the disk full, or a size limit set?")
        }
    }
}
