extension SoundOptions {
    /// To what level a sound is brought.
    #if hasAttribute(nonexhaustive)
        @nonexhaustive
    #endif
    public enum Normalization: Sendable, Hashable {
        /// The highest sample's, in decibels of full scale: "peak:-1".
        case peak(Double)
        /// Integrated loudness of ITU-R BS.1770 (EBU R 128), in LUFS: "lufs:-16". Peaks stay below −1 dB of full scale, for
        /// which the sound may have to stay quieter.
        case loudness(Double)
    }

    /// Levels of peaks, in decibels of full scale.
    public static let peakRange = -60.0...0.0

    /// Loudnesses, in LUFS.
    public static let loudnessRange = -60.0...0.0
}

extension SoundOptions.Normalization: RawRepresentable, Codable {
    /// As it is written: "peak:-1", "lufs:-16".
    /// - Returns: nil for anything else, and for levels out of range.
    public init?(rawValue: String) {
        let parts = rawValue.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let level = Double(parts[1]) else { return nil }
        switch parts[0] {
        case "peak" where SoundOptions.peakRange.contains(level): self = .peak(level)
        case "lufs" where SoundOptions.loudnessRange.contains(level): self = .loudness(level)
        default: return nil
        }
    }

    /// As it is written.
    public var rawValue: String {
        func text(_ level: Double) -> String {
            Int(exactly: level).map(String.init) ?? "\(level)"
        }
        return switch self {
        case .peak(let level): "peak:" + text(level)
        case .loudness(let level): "lufs:" + text(level)
        }
    }

    /// Whether its level is in range.
    var isUsable: Bool { SoundOptions.Normalization(rawValue: rawValue) != nil }
}
