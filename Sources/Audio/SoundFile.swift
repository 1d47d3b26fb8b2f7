import FoundationEssentials
import Glibc

/// Sound files through libsndfile.
package enum SoundFile {
    /// Of all channels together, unless told otherwise.
    package static let maximumSamples = 100_000_000

    /// Reads a sound file of any kind that libsndfile knows.
    /// - Parameter maximumSamples: of all channels together; bounds the memory that a file can ask for.
    /// - Throws: `AudioError`.
    package static func read(_ path: String, maximumSamples: Int = maximumSamples) throws -> Sound {
        try read(SoundReader(path), maximumSamples: maximumSamples)
    }

    /// Reads a sound that a program holds.
    /// - Parameters:
    ///   - maximumSamples: as for `read(_:maximumSamples:)`.
    ///   - maximumSeconds: nil for any length.
    /// - Throws: `AudioError`.
    package static func read(
        _ data: Data, maximumSamples: Int = maximumSamples, maximumSeconds: Double? = nil
    ) throws -> Sound {
        try read(SoundReader(data), maximumSamples: maximumSamples, maximumSeconds: maximumSeconds)
    }

    private static func read(
        _ reader: SoundReader, maximumSamples: Int, maximumSeconds: Double? = nil
    ) throws -> Sound {
        let longest = maximumSeconds.map { $0 * Double(reader.sampleRate) * Double(reader.channels) } ?? .infinity
        var samples: [Float] = []
        while case let block = try reader.next(), !block.isEmpty {
            guard samples.count <= maximumSamples - block.count else {
                throw AudioError.tooLong(path: reader.path, maximumSamples: maximumSamples)
            }
            samples += block
            if let maximumSeconds, Double(samples.count) > longest {
                throw AudioError.longerThan(path: reader.path, seconds: maximumSeconds)
            }
        }
        return Sound(samples: samples, channels: reader.channels, sampleRate: reader.sampleRate)
    }
}
