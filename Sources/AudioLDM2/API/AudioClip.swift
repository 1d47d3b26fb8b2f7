import Audio

/// A mono sound.
public struct AudioClip: Sendable, Hashable {
    /// In −1…1.
    public let samples: [Float]
    /// In Hz.
    public let sampleRate: Int

    public init(samples: [Float], sampleRate: Int) {
        self.samples = samples
        self.sampleRate = sampleRate
    }

    public var seconds: Double { Double(samples.count) / Double(sampleRate) }

    /// The formats that sounds can be written in.
    public static let fileExtensions = SoundContainer.allCases.map(\.rawValue)

    /// Writes a sound file whose format follows from its extension: wav, flac or ogg.
    ///
    /// The file appears when it is complete; one that was there is replaced.
    /// - Parameter record: how the sound came about, stored as the file's title, comment (JSON) and licence.
    /// - Throws: `AudioLDM2Error` of kind `.file` for another extension, a folder that cannot be written to, a full disk.
    public func write(to path: String, record: SoundRecord? = nil) throws {
        try AudioLDM2Error.translating {
            _ = try SoundFile.write(
                Sound(samples: samples, sampleRate: sampleRate), to: path,
                metadata: record?.metadata ?? SoundMetadata(software: AudioLDM2Pipeline.software))
        }
    }

    /// Checks a path before any work is done for it.
    /// - Throws: what `write(to:)` would throw for its extension or folder.
    public static func checkWritable(_ path: String) throws {
        try AudioLDM2Error.translating { try SoundFile.checkWritable(path) }
    }
}
