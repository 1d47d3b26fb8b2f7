import Audio

/// How a sound is stored, in a file or in memory: named as files' extensions are.
#if hasAttribute(nonexhaustive)
    @nonexhaustive
#endif
public enum SoundFormat: String, CaseIterable, Sendable, Codable {
    /// RIFF WAVE, uncompressed.
    case wav
    /// FLAC, compressed without loss.
    case flac
    /// Vorbis, which leaves out what is hardly heard.
    case ogg
    /// Opus, which does so too; of 8000, 12000, 16000, 24000 or 48000 Hz.
    case opus
    /// MPEG-1 layer III, which does so too, with at most 48000 Hz.
    case mp3
    /// Apple's AIFF, uncompressed.
    case aiff

    /// How samples are stored in WAV, FLAC and AIFF; the others have no choice.
    #if hasAttribute(nonexhaustive)
        @nonexhaustive
    #endif
    public enum Encoding: String, CaseIterable, Sendable, Codable {
        /// 16-bit integers.
        case pcm16
        /// 24-bit integers.
        case pcm24
        /// Numbers as they are, beyond ±1 too; not in FLAC.
        case float32

        /// An encoding by how many bits a sample has: "16", "24" or "float".
        public init?(bits: String) {
            guard let found = Self.allCases.first(where: { $0.bits == bits }) else { return nil }
            self = found
        }

        /// "16", "24" or "float".
        public var bits: String {
            switch self {
            case .pcm16: "16"
            case .pcm24: "24"
            case .float32: "float"
            }
        }
    }
}

extension SoundFormat {
    /// Checks before any work is done whether the format can hold a sound.
    /// - Parameters:
    ///   - sampleRate: in Hz.
    ///   - encoding: as for `AudioClip.data(as:encoding:record:)`.
    /// - Throws: `AudioLDM2Error` of kind `.invalidOption`.
    public func requireSupport(sampleRate: Int, channels: Int = 1, encoding: Encoding? = nil) throws {
        do {
            _ = try StoredFormat(
                frames: 0, channels: channels, sampleRate: sampleRate, container: container, path: "",
                encoding: encoding?.stored)
        } catch AudioError.unsupported(_, let reason) {
            throw AudioLDM2Error(.invalidOption, reason)
        }
    }

    var container: SoundContainer {
        switch self {
        case .wav: .wav
        case .flac: .flac
        case .ogg: .ogg
        case .opus: .opus
        case .mp3: .mp3
        case .aiff: .aiff
        }
    }
}

extension SoundFormat.Encoding {
    var stored: SampleEncoding {
        switch self {
        case .pcm16: .pcm16
        case .pcm24: .pcm24
        case .float32: .float32
        }
    }
}
