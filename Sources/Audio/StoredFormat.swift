import CSndfile

/// The kinds of file that are written, by extension.
package enum SoundContainer: String, CaseIterable, Sendable {
    case wav, flac
    /// Vorbis.
    case ogg

    /// - Throws: `AudioError.unknownExtension`.
    package init(path: String) throws {
        let name = path.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count > 1, let last = parts.last, let container = Self(rawValue: last.lowercased()) else {
            throw AudioError.unknownExtension(path: path)
        }
        self = container
    }
}

/// How samples are stored in a WAV or FLAC file.
package enum SampleEncoding: String, CaseIterable, Sendable {
    case pcm16, pcm24
    /// WAV only.
    case float32

    var byteCount: Int {
        switch self {
        case .pcm16: 2
        case .pcm24: 3
        case .float32: 4
        }
    }

    /// Whether what lies beyond ±1 is lost.
    var clips: Bool { self != .float32 }

    /// A sample that libsndfile writes as the number that it was read from. It reads integers as parts of 2ⁿ and writes
    /// them as parts of 2ⁿ − 1: what is louder than half would come back one step quieter.
    func written(_ sample: Float) -> Float {
        let whole: Float
        switch self {
        case .pcm16: whole = 0x8000
        case .pcm24: whole = 0x80_0000
        case .float32: return sample
        }
        return min(max(sample, -1), (whole - 1) / whole) * (whole / (whole - 1))
    }
}

/// A container and an encoding that can hold a certain sound.
package struct StoredFormat {
    let container: SoundContainer
    /// How samples are stored; Vorbis takes floats.
    let encoding: SampleEncoding
    let info: SF_INFO

    /// - Parameters:
    ///   - path: chooses the container by its extension.
    ///   - encoding: 16-bit integers if nil; must be nil for Vorbis.
    /// - Throws: `AudioError.unknownExtension`, `AudioError.unsupported`.
    package init(frames: Int, channels: Int, sampleRate: Int, path: String, encoding: SampleEncoding?) throws {
        try self.init(
            frames: frames, channels: channels, sampleRate: sampleRate, container: SoundContainer(path: path),
            path: path, encoding: encoding)
    }

    /// - Parameter path: for messages.
    package init(
        frames: Int, channels: Int, sampleRate: Int, container: SoundContainer, path: String,
        encoding: SampleEncoding?
    ) throws {
        func unsupported(_ reason: String) -> AudioError { .unsupported(path: path, reason: reason) }
        self.container = container
        guard encoding == nil || container != .ogg else {
            throw unsupported("Ogg Vorbis has no sample encoding to choose; leave it out, or choose a .wav file")
        }
        guard encoding != .float32 || container != .flac else {
            throw unsupported("FLAC stores integers; choose pcm16 or pcm24, or a .wav file")
        }
        let encoding = encoding ?? .pcm16
        self.encoding = container == .ogg ? .float32 : encoding
        var info = SF_INFO()
        info.format = Self.code(container, encoding)
        info.channels = Int32(clamping: channels)
        info.samplerate = Int32(clamping: sampleRate)
        guard sampleRate > 0, sf_format_check(&info) != 0 else {
            throw unsupported(
                "\(container.rawValue) files cannot hold \(channels) channels at \(sampleRate) Hz")
        }
        self.info = info
        // Sizes in a WAV file are 32-bit numbers; leave 1 MiB for its header and texts.
        let maximumBytes = Int(UInt32.max) - 1 << 20
        guard container != .wav || frames <= maximumBytes / encoding.byteCount / channels else {
            throw unsupported("a WAV file holds at most 4 GiB; write a .flac file")
        }
    }

    /// Whether what lies beyond ±1 is lost.
    var clips: Bool { container == .ogg || encoding.clips }

    /// A sample as libsndfile is given it.
    func written(_ sample: Float) -> Float { encoding.written(container == .ogg ? min(max(sample, -1), 1) : sample) }

    private static func code(_ container: SoundContainer, _ encoding: SampleEncoding) -> Int32 {
        let major =
            switch container {
            case .wav: SF_FORMAT_WAV
            case .flac: SF_FORMAT_FLAC
            case .ogg: SF_FORMAT_OGG
            }
        let minor =
            switch encoding {
            case _ where container == .ogg: SF_FORMAT_VORBIS
            case .pcm16: SF_FORMAT_PCM_16
            case .pcm24: SF_FORMAT_PCM_24
            case .float32: SF_FORMAT_FLOAT
            }
        return Int32(major | minor)
    }
}
