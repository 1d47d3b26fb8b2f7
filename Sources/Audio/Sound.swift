/// A sound in memory.
package struct Sound: Hashable, Sendable {
    /// −1…1, interleaved: frame by frame, one sample per channel.
    package var samples: [Float]
    package var channels: Int
    /// Frames per second.
    package var sampleRate: Int

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

    package init(title: String? = nil, comment: String? = nil, software: String? = nil, license: String? = nil) {
        self.title = title
        self.comment = comment
        self.software = software
        self.license = license
    }
}
