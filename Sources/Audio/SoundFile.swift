/// Sound files through libsndfile.
package enum SoundFile {
    /// Reads a sound file of any kind that libsndfile knows.
    /// - Parameter maximumSamples: of all channels together; bounds the memory that a file can ask for.
    /// - Throws: `AudioError`.
    package static func read(_ path: String, maximumSamples: Int = 100_000_000) throws -> Sound {
        let reader = try SoundReader(path)
        var samples: [Float] = []
        while case let block = try reader.next(), !block.isEmpty {
            guard samples.count <= maximumSamples - block.count else {
                throw AudioError.tooLong(path: path, maximumSamples: maximumSamples)
            }
            samples += block
        }
        return Sound(samples: samples, channels: reader.channels, sampleRate: reader.sampleRate)
    }
}
