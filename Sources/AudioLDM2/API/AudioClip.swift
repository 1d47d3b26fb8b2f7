import Audio
import FoundationEssentials
import Glibc

/// A sound.
public struct AudioClip: Sendable, Hashable {
    /// In −1…1; of several channels interleaved, one sample of each after the other.
    public let samples: [Float]
    /// In Hz.
    public let sampleRate: Int
    /// 1 for what is made; sounds that are read may have more.
    public let channels: Int

    /// A sound of samples, checked when it is used.
    public init(samples: [Float], sampleRate: Int, channels: Int = 1) {
        self.samples = samples
        self.sampleRate = sampleRate
        self.channels = channels
    }

    /// Length.
    public var seconds: Double { Double(samples.count / max(channels, 1)) / Double(sampleRate) }

    /// Reads a sound file of any kind that libsndfile knows, of any sample rate.
    /// - Parameter memoryLimit: in bytes; a sound of which not even three copies fit into it is not read to its end.
    /// - Throws: `AudioLDM2Error` of kind `.file` for what is missing, damaged, no sound, or longer than 100 million samples
    ///   of all channels together; of kind `.outOfMemory` for what is longer than the limit allows.
    public init(contentsOf path: String, memoryLimit: Int? = nil) throws {
        self = try Self.read(path, memoryLimit) { try SoundFile.read(path, maximumSamples: $0) }
    }

    /// The same of a file that a URL names.
    public init(contentsOf url: URL, memoryLimit: Int? = nil) throws {
        try self.init(contentsOf: url.path, memoryLimit: memoryLimit)
    }

    /// The same of a file's contents that the program holds.
    /// - Parameter maximumSeconds: nil for any length; a longer sound is an error, and not read to its end.
    public init(data: Data, memoryLimit: Int? = nil, maximumSeconds: Double? = nil) throws {
        self = try Self.read("the sound", memoryLimit) {
            try SoundFile.read(data, maximumSamples: $0, maximumSeconds: maximumSeconds)
        }
    }

    private static func read(
        _ name: String, _ memoryLimit: Int?, _ read: (_ maximumSamples: Int) throws -> Sound
    ) throws -> AudioClip {
        try AudioLDM2Error.translating {
            let limit = [memoryLimit, MemoryPlan.processLimit].compactMap(\.self).min() ?? .max
            let room = limit / (3 * MemoryLayout<Float>.size)
            do {
                let sound = try read(min(room, SoundFile.maximumSamples))
                guard !sound.samples.isEmpty else {
                    throw AudioLDM2Error(.file, "\(name): damaged sound file: it holds no samples")
                }
                if let index = sound.samples.firstIndex(where: { !$0.isFinite }) {
                    throw AudioLDM2Error.notFinite(sample: index, of: name)
                }
                return AudioClip(samples: sound.samples, sampleRate: sound.sampleRate, channels: sound.channels)
            } catch AudioError.tooLong where room < SoundFile.maximumSamples {
                throw AudioLDM2Error(
                    .outOfMemory,
                    "\(name): too long for the \(MemoryPlan.mebibytes(limit)) of memory that are allowed; cut it first, or "
                        + "choose a higher limit")
            }
        }
    }

    /// Writes a sound file whose format follows from its extension, as `SoundFormat` has them.
    ///
    /// The file appears when it is complete; one that was there is replaced.
    /// - Parameters:
    ///   - encoding: of samples in wav, flac and aiff files; nil for what the record says, or 16-bit integers.
    ///   - record: how the sound came about, stored as the file's title, comment (JSON) and licence.
    /// - Returns: how many samples lay beyond ±1 and were clipped to it, as all but float files hold nothing else.
    /// - Throws: `AudioLDM2Error` of kind `.file` for another extension, an encoding that the format does not have, a folder
    ///   that cannot be written to, a full disk.
    @discardableResult
    public func write(
        to path: String, encoding: SoundFormat.Encoding? = nil, record: SoundRecord? = nil
    ) throws -> Int {
        try AudioLDM2Error.translating {
            try SoundFile.write(
                sound, to: path, encoding: (encoding ?? record?.encoding)?.stored, metadata: Self.metadata(of: record))
        }
    }

    /// The same to a file that a URL names.
    @discardableResult
    public func write(to url: URL, encoding: SoundFormat.Encoding? = nil, record: SoundRecord? = nil) throws -> Int {
        try write(to: url.path, encoding: encoding, record: record)
    }

    /// What `write` would put into a file.
    /// - Throws: `AudioLDM2Error` of kind `.file` for an encoding that the format does not have.
    public func data(
        as format: SoundFormat, encoding: SoundFormat.Encoding? = nil, record: SoundRecord? = nil
    ) throws -> Data {
        try AudioLDM2Error.translating {
            try SoundFile.data(
                of: sound, as: format.container, encoding: (encoding ?? record?.encoding)?.stored,
                metadata: Self.metadata(of: record)
            ).data
        }
    }

    private var sound: Sound { Sound(samples: samples, channels: channels, sampleRate: sampleRate) }

    private static func metadata(of record: SoundRecord?) -> SoundMetadata {
        record?.metadata ?? SoundMetadata(software: AudioLDM2Pipeline.software)
    }

    /// The extensions of files that sounds can be written to.
    public static let fileExtensions = SoundFormat.allCases.map(\.rawValue)

    /// Checks a path before any work is done for it.
    /// - Throws: what `write(to:)` would throw for its extension or folder.
    public static func checkWritable(_ path: String) throws {
        try AudioLDM2Error.translating { try SoundFile.checkWritable(path) }
    }

    /// Checks before any work is done whether a file can hold sounds of such samples.
    /// - Parameters:
    ///   - sampleRate: in Hz.
    ///   - encoding: as for `write(to:encoding:record:)`.
    /// - Throws: what `write(to:)` would throw.
    public static func checkWritable(_ path: String, sampleRate: Int, encoding: SoundFormat.Encoding?) throws {
        try checkWritable(path)
        try AudioLDM2Error.translating {
            try SoundFile.checkFormat(of: path, channels: 1, sampleRate: sampleRate, encoding: encoding?.stored)
        }
    }

    /// Checks a picture's path before any work is done for it.
    /// - Throws: what `writeSpectrogram(to:)` would throw for its folder.
    public static func checkSpectrogramWritable(_ path: String) throws {
        try AudioLDM2Error.translating { try SoundFile.checkPlace(of: path) }
    }
}

extension AudioClip {
    init(channels: [[Float]], sampleRate: Int) {
        let count = channels.first?.count ?? 0
        self.init(
            samples: channels.count == 1
                ? channels[0] : (0..<count).flatMap { frame in channels.map { $0[frame] } },
            sampleRate: sampleRate, channels: channels.count)
    }

    func channel(_ channel: Int) -> [Float] {
        channels == 1 ? samples : stride(from: channel, to: samples.count, by: channels).map { samples[$0] }
    }

    /// How all channels become one.
    var monoMix: MonoMix { MonoMix(of: samples, channels: channels) }

    /// All channels as one.
    var mono: [Float] { mono(from: 0, to: seconds) }

    /// - Parameters: times, in seconds.
    func mono(from start: Double, to end: Double) -> [Float] {
        let frames = samples.count / channels
        let first = min(Int((start * Double(sampleRate)).rounded()), frames)
        let last = max(min(Int((end * Double(sampleRate)).rounded()), frames), first)
        guard channels > 1 else { return first == 0 && last == frames ? samples : Array(samples[first..<last]) }
        let mix = monoMix
        return stride(from: first * channels, to: last * channels, by: channels)
            .map { mix(samples[$0..<$0 + channels]) }
    }

    /// - Throws: `AudioLDM2Error` of kind `.file` for a sound that cannot be worked on.
    func validate() throws {
        guard channels > 0, Sound.sampleRates.contains(sampleRate), !samples.isEmpty, samples.count % channels == 0
        else {
            throw AudioLDM2Error(
                .file,
                "a sound of \(samples.count) samples, \(channels) channels, \(sampleRate) Hz holds nothing to work on; "
                    + "rates are \(Sound.sampleRates.lowerBound) to \(Sound.sampleRates.upperBound) Hz")
        }
        if let index = samples.firstIndex(where: { !$0.isFinite }) {
            throw AudioLDM2Error(.file, "sample \(index) of the sound is infinite or not a number; mend the file first")
        }
    }
}

extension AudioClip {
    /// Draws the sound's mel spectrogram, with axes, as a PNG file. The file appears when it is complete.
    /// - Throws: `AudioLDM2Error` of kind `.file`.
    public func writeSpectrogram(to path: String) throws {
        try validate()
        try AudioLDM2Error.translating {
            try SpectrogramPicture(of: mono, sampleRate: sampleRate).write(to: path)
        }
    }
}

extension AudioLDM2Error {
    static func notFinite(sample index: Int, of path: String) -> AudioLDM2Error {
        AudioLDM2Error(
            .file, "\(path): sample \(index) of the sound is infinite or not a number; mend the file first")
    }
}
