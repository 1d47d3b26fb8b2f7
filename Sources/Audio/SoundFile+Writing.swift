import CSndfile
import FoundationEssentials
import Glibc

extension SoundFile {
    /// Writes a sound in the format that the extension names, as `SoundContainer` has them.
    ///
    /// The file appears complete or not at all, and its bytes depend on the arguments alone. Samples beyond ±1 are
    /// clipped to it, but for those of float WAV and AIFF files. Texts of the metadata are cut at 4096 bytes.
    /// - Parameter encoding: 16-bit integers unless given; not for lossy formats.
    /// - Returns: how many samples were clipped.
    /// - Throws: `AudioError`.
    @discardableResult
    package static func write(
        _ sound: Sound, to path: String, encoding: SampleEncoding? = nil, metadata: SoundMetadata = SoundMetadata()
    ) throws -> Int {
        _ = try StoredFormat(
            frames: sound.samples.count / max(sound.channels, 1), channels: sound.channels,
            sampleRate: sound.sampleRate, path: path, encoding: encoding)
        try checkSamples(sound)
        return try write(
            frames: sound.samples.count / sound.channels, channels: sound.channels, sampleRate: sound.sampleRate,
            to: path, encoding: encoding, metadata: metadata, blocks: blocks(of: sound))
    }

    /// What `write` would put into a file of a kind.
    /// - Returns: also how many samples were clipped.
    /// - Throws: `AudioError`.
    package static func data(
        of sound: Sound, as container: SoundContainer, encoding: SampleEncoding? = nil,
        metadata: SoundMetadata = SoundMetadata()
    ) throws -> (data: Data, clipped: Int) {
        let frames = sound.samples.count / max(sound.channels, 1)
        let format = try StoredFormat(
            frames: frames, channels: sound.channels, sampleRate: sound.sampleRate, container: container,
            path: MemoryFile.name, encoding: encoding)
        try checkSamples(sound)
        let file = try MemoryFile()
        let clipped = try encode(
            as: format, frames: frames, metadata: metadata, to: file.descriptor, path: MemoryFile.name,
            blocks: blocks(of: sound))
        try checkLength(frames, descriptor: file.descriptor, path: MemoryFile.name)
        return (try file.contents(), clipped)
    }

    private static func blocks(of sound: Sound) -> (BlockTaker) throws -> Void {
        { take in
            let block = SndfileHandle.block * sound.channels
            for start in stride(from: 0, to: sound.samples.count, by: block) {
                try take(sound.samples[start..<min(start + block, sound.samples.count)])
            }
        }
    }

    /// Takes the samples of a block, which are whole frames.
    package typealias BlockTaker = (ArraySlice<Float>) throws -> Void

    /// The same for a sound that comes block by block, of numbers.
    package static func write(
        frames: Int, channels: Int, sampleRate: Int, to path: String, encoding: SampleEncoding? = nil,
        metadata: SoundMetadata = SoundMetadata(), blocks: (BlockTaker) throws -> Void
    ) throws -> Int {
        let format = try StoredFormat(
            frames: frames, channels: channels, sampleRate: sampleRate, path: path, encoding: encoding)
        var clipped = 0
        try replaceFile(at: path) { file in
            clipped = try encode(
                as: format, frames: frames, metadata: metadata, to: file.descriptor, path: path, blocks: blocks)
            try checkLength(frames, descriptor: file.descriptor, path: path)
        }
        return clipped
    }

    /// Writes what becomes the file at `path` into an empty one that is open for reading and writing.
    /// - Returns: how many samples were clipped.
    @discardableResult
    package static func encode(
        as format: StoredFormat, frames: Int = 0, metadata: SoundMetadata, to descriptor: Int32, path: String,
        blocks: (BlockTaker) throws -> Void
    ) throws -> Int {
        let output = SoundOutput(descriptor)
        let clipped = try writeSamples(
            as: format, frames: frames, metadata: metadata, to: output, path: path, blocks: blocks)
        if let failure = output.failure {
            throw AudioError.cannotWrite(path: path, reason: systemReason(failure.code))
        }
        if format.info.format & Int32(SF_FORMAT_TYPEMASK) == Int32(SF_FORMAT_OGG) {
            try setOggSerialNumber(descriptor: descriptor, path: path)
        }
        return clipped
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
        as format: StoredFormat, frames: Int, metadata: SoundMetadata, to output: SoundOutput, path: String,
        blocks: (BlockTaker) throws -> Void
    ) throws -> Int {
        func failed(_ reason: String) -> AudioError {
            .cannotWrite(path: path, reason: output.failure.map { systemReason($0.code) } ?? reason)
        }
        guard let file = SndfileHandle(writing: output, as: format.info) else {
            throw failed(SndfileHandle.openError)
        }
        // The peak chunk of float files holds the time of day.
        sf_command(file.pointer, Int32(SFC_SET_ADD_PEAK_CHUNK), nil, Int32(SF_FALSE))
        if format.container == .mp3 { chooseQuality(of: file) }
        // In the chunk "smpl"; libsndfile writes none into other files.
        if metadata.loops, format.container == .wav {
            _ = csndfile_set_loop(file.pointer, UInt32(clamping: frames))
        }
        let texts = [
            (SF_STR_TITLE, metadata.title), (SF_STR_COMMENT, metadata.comment), (SF_STR_SOFTWARE, metadata.software),
            (format.container == .wav ? SF_STR_COPYRIGHT : SF_STR_LICENSE, metadata.license),
        ]
        for case (let kind, let text?) in texts where !text.isEmpty {
            guard sf_set_string(file.pointer, Int32(kind), SoundMetadata.cut(text)) != 0 else { continue }
            throw AudioError.cannotWrite(path: path, reason: file.error ?? "its texts were refused")
        }
        var clipped = 0
        try blocks { samples in
            if format.clips { clipped += samples.count { abs($0) > 1 } }
            guard format.write(samples, to: file.pointer) == samples.count else {
                throw failed(file.error ?? "not all samples were taken")
            }
        }
        if let error = file.error { throw failed(error) }
        return clipped
    }

    /// MP3 of a rate that varies, instead of one too low for wide bands of noise.
    private static func chooseQuality(of file: SndfileHandle) {
        var mode = Int32(SF_BITRATE_MODE_VARIABLE)
        sf_command(file.pointer, Int32(SFC_SET_BITRATE_MODE), &mode, Int32(MemoryLayout.size(ofValue: mode)))
        // From 0, the best, to 1.
        var level = 0.2
        sf_command(file.pointer, Int32(SFC_SET_COMPRESSION_LEVEL), &level, Int32(MemoryLayout.size(ofValue: level)))
    }

    /// libsndfile does not tell of everything that goes wrong when it closes a file: read back what it says.
    private static func checkLength(_ frames: Int, descriptor: Int32, path: String) throws {
        let written = SndfileHandle(reading: SoundInput(descriptor))
        guard let written, Int(written.info.frames) == frames else {
            throw AudioError.cannotWrite(
                path: path, reason: "the file is incomplete; is the disk full, or a size limit set?")
        }
    }
}
