extension SoundFile {
    /// What to do with a sound that is longer than wanted.
    package enum Excess: Sendable {
        /// Take its beginning; the rest is not read.
        case cut
        case refuse
    }

    /// Reads a sound as one channel, as `MonoMix` makes it of all that it has, at another sample rate. Memory grows with the
    /// result alone, not with the file.
    /// - Parameters:
    ///   - maximumSeconds: of the result.
    ///   - notice: is told what was done to the sound that nobody expects.
    /// - Returns: at least one sample.
    /// - Throws: `AudioError`; also for a file without samples, or with some that are not finite.
    package static func readMono(
        _ path: String, sampleRate: Int, maximumSeconds: Double, excess: Excess, notice: (String) -> Void = { _ in }
    ) throws -> [Float] {
        let reader = try SoundReader(path)
        let mix = try mix(of: reader, seconds: maximumSeconds)
        if let note = mix.note { notice("\(reader.path): \(note)") }
        let maximum = Int((maximumSeconds * Double(sampleRate)).rounded(.up))
        var resampler = Resampler(from: reader.sampleRate, to: sampleRate)
        var samples: [Float] = []
        var framesRead = 0
        while samples.count < maximum || excess == .refuse, case let block = try reader.next(), !block.isEmpty {
            samples += resampler.process(try mono(block, mix, of: reader, firstFrame: framesRead))
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

    /// What becomes of the channels, by what is heard of them.
    private static func mix(of reader: SoundReader, seconds: Double) throws -> MonoMix {
        var powers = MonoMix.Powers(channels: reader.channels)
        guard reader.channels > 1 else { return powers.mix }
        var frames = Int((seconds * Double(reader.sampleRate)).rounded(.up))
        while frames > 0, case let block = try reader.next(), !block.isEmpty {
            powers.add(block.prefix(frames * reader.channels))
            frames -= block.count / reader.channels
        }
        try reader.rewind()
        return powers.mix
    }

    private static func mono(
        _ block: ArraySlice<Float>, _ mix: MonoMix, of reader: SoundReader, firstFrame: Int
    ) throws -> [Float] {
        let channels = reader.channels
        return try (0..<block.count / channels).map { frame in
            let first = block.startIndex + frame * channels
            let samples = block[first..<first + channels]
            guard samples.reduce(0, +).isFinite else {
                let seconds = Double(firstFrame + frame) / Double(reader.sampleRate)
                throw AudioError.damaged(
                    path: reader.path, reason: "a sample at \(seconds) s is infinite or not a number")
            }
            return mix(samples)
        }
    }
}
