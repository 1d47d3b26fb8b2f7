extension SoundFile {
    /// What to do with a sound that is longer than wanted.
    package enum Excess: Sendable {
        /// Take its beginning; the rest is not read.
        case cut
        case refuse
    }

    /// Reads a sound as one channel, the mean of all that it has, at another sample rate. Memory grows with the result
    /// alone, not with the file.
    /// - Parameters:
    ///   - maximumSeconds: of the result.
    /// - Returns: at least one sample.
    /// - Throws: `AudioError`; also for a file without samples, or with some that are not finite.
    package static func readMono(
        _ path: String, sampleRate: Int, maximumSeconds: Double, excess: Excess
    ) throws -> [Float] {
        let reader = try SoundReader(path)
        let maximum = Int((maximumSeconds * Double(sampleRate)).rounded(.up))
        var resampler = Resampler(from: reader.sampleRate, to: sampleRate)
        var samples: [Float] = []
        var framesRead = 0
        while samples.count < maximum || excess == .refuse, case let block = try reader.next(), !block.isEmpty {
            samples += resampler.process(try mono(block, of: reader, firstFrame: framesRead))
            framesRead += block.count / reader.channels
            guard excess == .cut || samples.count <= maximum else {
                throw AudioError.longerThan(path: path, seconds: maximumSeconds)
            }
        }
        samples += resampler.finish()
        guard !samples.isEmpty else { throw AudioError.damaged(path: path, reason: "it holds no samples") }
        if samples.count > maximum {
            guard excess == .cut else { throw AudioError.longerThan(path: path, seconds: maximumSeconds) }
            samples.removeLast(samples.count - maximum)
        }
        return samples
    }

    private static func mono(_ block: ArraySlice<Float>, of reader: SoundReader, firstFrame: Int) throws -> [Float] {
        let channels = reader.channels
        let share = 1 / Float(channels)
        return try (0..<block.count / channels).map { frame in
            let first = block.startIndex + frame * channels
            let sum = block[first..<first + channels].reduce(0, +)
            guard sum.isFinite else {
                let seconds = Double(firstFrame + frame) / Double(reader.sampleRate)
                throw AudioError.damaged(
                    path: reader.path, reason: "a sample at \(seconds) s is infinite or not a number")
            }
            return share * sum
        }
    }
}
