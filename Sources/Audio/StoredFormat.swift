import CSndfile

/// A container and an encoding that can hold a certain sound.
package struct StoredFormat {
    let container: SoundContainer
    /// How samples are stored; lossy formats take floats.
    let encoding: SampleEncoding
    let info: SF_INFO

    /// - Parameters:
    ///   - path: chooses the container by its extension.
    ///   - encoding: 16-bit integers if nil; must be nil for lossy formats.
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
        guard encoding == nil || container.storesSamples else {
            throw unsupported(
                "\(container.rawValue) files have no bits to choose; leave them out, or choose a .wav, .flac or .aiff file"
            )
        }
        guard encoding != .float32 || container != .flac else {
            throw unsupported("FLAC stores integers; choose 16 or 24 bits, or a .wav or .aiff file")
        }
        let encoding = container.storesSamples ? encoding ?? .pcm16 : .float32
        self.encoding = encoding
        if let rates = container.sampleRates, !rates.contains(sampleRate) {
            throw unsupported(
                "\(container.rawValue) files hold sounds of \(rates.map(String.init).joined(separator: ", ")) Hz, and not of "
                    + "\(sampleRate); choose one of these sample rates, or another kind of file")
        }
        var info = SF_INFO()
        info.format = Self.code(container, encoding)
        info.channels = Int32(clamping: channels)
        info.samplerate = Int32(clamping: sampleRate)
        guard sampleRate > 0, sf_format_check(&info) != 0 else {
            throw unsupported(
                "\(container.rawValue) files cannot hold \(channels) channels at \(sampleRate) Hz, or not by this "
                    + String(cString: sf_version_string()))
        }
        self.info = info
        // Leave 1 MiB for the header and texts.
        let maximumBytes = Int(UInt32.max) - 1 << 20
        guard !container.isSmall || frames <= maximumBytes / encoding.byteCount / channels else {
            throw unsupported("\(container.rawValue) files hold at most 4 GiB; write a .flac file")
        }
    }

    /// Whether what lies beyond ±1 is lost.
    var clips: Bool { !container.storesSamples || encoding.clips }

    /// Hands samples to libsndfile.
    /// - Returns: how many it took.
    func write(_ samples: ArraySlice<Float>, to file: OpaquePointer) -> Int {
        encoding.write(container.storesSamples ? samples : samples.map { min(max($0, -1), 1) }[...], to: file)
    }

    private static func code(_ container: SoundContainer, _ encoding: SampleEncoding) -> Int32 {
        let major =
            switch container {
            case .wav: SF_FORMAT_WAV
            case .flac: SF_FORMAT_FLAC
            case .ogg, .opus: SF_FORMAT_OGG
            case .mp3: SF_FORMAT_MPEG
            case .aiff: SF_FORMAT_AIFF
            }
        let minor =
            switch (container, encoding) {
            case (.ogg, _): SF_FORMAT_VORBIS
            case (.opus, _): SF_FORMAT_OPUS
            case (.mp3, _): SF_FORMAT_MPEG_LAYER_III
            case (_, .pcm16): SF_FORMAT_PCM_16
            case (_, .pcm24): SF_FORMAT_PCM_24
            case (_, .float32): SF_FORMAT_FLOAT
            }
        return Int32(major | minor)
    }
}
