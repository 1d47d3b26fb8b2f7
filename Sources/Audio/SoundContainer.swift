/// The kinds of file that are written, by extension.
package enum SoundContainer: String, CaseIterable, Sendable {
    case wav, flac
    /// Vorbis.
    case ogg
    case opus, mp3, aiff

    /// - Throws: `AudioError.unknownExtension`.
    package init(path: String) throws {
        let name = path.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count > 1, let last = parts.last, let container = Self(rawValue: last.lowercased()) else {
            throw AudioError.unknownExtension(path: path)
        }
        self = container
    }

    /// As they are listed for people: ".wav, .flac or .ogg".
    package static var list: String {
        let names = allCases.map { "." + $0.rawValue }
        return names.dropLast().joined(separator: ", ") + " or " + (names.last ?? "")
    }

    /// Whether samples are stored as numbers, in an encoding that can be chosen.
    var storesSamples: Bool {
        switch self {
        case .wav, .flac, .aiff: true
        case .ogg, .opus, .mp3: false
        }
    }

    /// The rates that it can hold, in Hz; nil for any. libsndfile says so only when it is too late.
    var sampleRates: [Int]? {
        switch self {
        case .opus: [8000, 12000, 16000, 24000, 48000]
        case .mp3: [8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000]
        case .wav, .flac, .ogg, .aiff: nil
        }
    }

    /// Whether sizes are numbers of 32 bits.
    var isSmall: Bool { self == .wav || self == .aiff }
}
