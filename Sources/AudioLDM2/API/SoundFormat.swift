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

    /// How samples are stored in WAV and FLAC; Vorbis has no choice.
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
    }
}

extension SoundFormat {
    var container: SoundContainer {
        switch self {
        case .wav: .wav
        case .flac: .flac
        case .ogg: .ogg
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
