/// A sound in memory.
package struct Sound: Hashable, Sendable {
    /// −1…1, interleaved: frame by frame, one sample per channel.
    package var samples: [Float]
    package var channels: Int
    /// Frames per second.
    package var sampleRate: Int

    /// The rates that are worked on, in Hz. Filters, frames of spectrograms and the lengths of results grow with a rate: one
    /// that nobody records at would have a few bytes of a header ask for any amount of memory.
    package static let sampleRates = 100...768_000

    package init(samples: [Float], channels: Int = 1, sampleRate: Int) {
        self.samples = samples
        self.channels = channels
        self.sampleRate = sampleRate
    }
}

/// Texts stored with a sound.
package struct SoundMetadata: Hashable, Sendable {
    package var title: String?
    package var comment: String?
    package var software: String?
    /// Under what terms the sound may be used. A WAV file has only a copyright for it.
    package var license: String?
    /// Whether the sound repeats: a WAV file then has a loop over all of it.
    package var loops = false

    /// Bytes that a text may have: what fits in the header of every format.
    package static let textLimit = 4096

    /// The beginning of a text, up to the end of a character, that fits in any header.
    static func cut(_ text: String) -> String {
        var length = 0
        return String(
            text.prefix { character in
                length += character.utf8.count
                return length <= textLimit
            })
    }

    package init(
        title: String? = nil, comment: String? = nil, software: String? = nil, license: String? = nil,
        loops: Bool = false
    ) {
        self.title = title
        self.comment = comment
        self.software = software
        self.license = license
        self.loops = loops
    }
}
