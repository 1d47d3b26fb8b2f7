import Audio

extension EvaluationProtocol {
    /// A sound as a judge hears it under these rules.
    public struct PreparedSound: Sendable {
        /// Mono.
        public let samples: [Float]
        /// True if all of the file's samples are zero.
        public let isSilent: Bool
    }

    /// Reads a file: of any format that libsndfile knows.
    /// - Parameters:
    ///   - sampleRate: to bring it to, in Hz.
    ///   - intermediateRate: to bring it to before; nil for none.
    /// - Throws: an error that names the file, for one that cannot be read or used.
    public func read(_ path: String, sampleRate: Int, intermediateRate: Int? = nil) throws -> PreparedSound {
        let sound = try SoundFile.read(path)
        let isSilent = sound.samples.allSatisfy { $0 == 0 }
        return PreparedSound(
            samples: try prepare(sound, path: path, sampleRate: sampleRate, intermediateRate: intermediateRate),
            isSilent: isSilent)
    }

    package func prepare(
        _ sound: Sound, path: String, sampleRate: Int, intermediateRate: Int? = nil
    ) throws -> [Float] {
        let channelCount = sound.channels
        guard !sound.samples.isEmpty else {
            throw EvaluationError.file(path: path, reason: "it holds no samples")
        }
        guard sound.samples.allSatisfy(\.isFinite) else {
            throw EvaluationError.file(path: path, reason: "a sample is infinite or not a number")
        }
        var samples = (0..<sound.samples.count / channelCount).map { frame -> Float in
            let first = frame * channelCount
            guard channels == .mean else { return sound.samples[first] }
            return sound.samples[first..<first + channelCount].reduce(0, +) / Float(channelCount)
        }
        if removesMean {
            let mean = Float(samples.reduce(0.0) { $0 + Double($1) } / Double(samples.count))
            for index in samples.indices { samples[index] -= mean }
        }
        var rate = sound.sampleRate
        for next in [intermediateRate, sampleRate].compactMap(\.self) where next != rate {
            samples = SincResampler(from: rate, to: next, resampling)(samples)
            rate = next
        }
        if roundsTo16Bits { for index in samples.indices { samples[index] = Self.to16Bits(samples[index]) } }
        return samples
    }

    private static func to16Bits(_ sample: Float) -> Float {
        min(max((sample * 32768).rounded(.toNearestOrEven), -32768), 32767) / 32768
    }
}
