import Audio
import Tensors

/// Chooses from several sounds those that fit a prompt best, by CLAP.
///
/// As diffusers `AudioLDM2Pipeline.score_waveforms` does, but for its random crops.
struct Ranking {
    static let range = 1...64

    let prompt: String
    /// How many there are, and how many of them are kept.
    let count, kept: Int
    private let config: CLAPFeatureConfig

    /// - Throws: `AudioLDM2Error` for numbers out of range, and for a model without CLAP's audio encoder.
    init(_ prompt: String, count: Int, keeping kept: Int, by model: Model) throws {
        let range = Self.range
        guard range.contains(count), (1...count).contains(kept) else {
            throw AudioLDM2Error(
                .invalidOption,
                "\(kept) of \(count) candidates: choose \(range.lowerBound)…\(range.upperBound), and keep 1 or more")
        }
        try model.requireTextEncoders()
        _ = try model.clapAudioConfig()
        config = try model.clapFeatureConfig()
        (self.prompt, self.count, self.kept) = (prompt, count, kept)
    }

    /// - Parameter start: of what is heard of each, in seconds.
    /// - Returns: the sounds that are kept, best first; of equal ones the earlier comes first.
    func best(
        of results: [SoundResult], from start: Double = 0, in context: GenerationContext
    ) throws -> [SoundResult] {
        let scores = try SoundEncoder(context).scores(of: results, for: prompt) { result in
            let (clip, length) = (result.clip, Double(config.maxLengthS))
            let first = max(min(start, clip.seconds - length), 0)
            let heard = clip.mono(from: first, to: first + length)
            return Resampler.resample(heard, from: clip.sampleRate, to: config.samplingRate)
        }
        let order = scores.indices.sorted { (scores[$1], $0) < (scores[$0], $1) }
        return order.prefix(kept).map { place in
            var result = results[place]
            result.record.score = scores[place]
            result.record.candidates = count
            return result
        }
    }

    /// The same work for a planner: a second sound would take no more than the first.
    func tryOut(in context: GenerationContext) throws {
        _ = try SoundEncoder(context).scores(of: [()], for: prompt) { [0] }
    }

    /// What there is beside one sound, of so many samples each: the others, and what is heard of one.
    func soundBytes(samples: Int) -> Int {
        ((count - 1) * samples + 3 * config.sampleCount) * MemoryLayout<Float>.size
    }
}
