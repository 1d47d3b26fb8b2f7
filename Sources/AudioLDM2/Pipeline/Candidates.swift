import Audio
import Synchronization
import Tensors

/// One of several sounds for a prompt.
public struct RankedSound: Sendable {
    public let result: GenerationResult
    /// Cosine of the CLAP embeddings of prompt and sound, −1…1.
    public let score: Double
}

/// What happens while candidates are made. They are counted from 0.
public enum RankingEvent: Sendable {
    /// How memory will be used; the first event.
    case plan(MemoryPlan)
    /// Of candidates that are made together, the first one's number.
    case progress(GenerationProgress, candidate: Int)
    case warning(String)
    /// The last event: the sounds that are kept, best first.
    case finished([RankedSound])
}

/// Several sounds of one prompt, of which the best are kept.
///
/// Candidate `i` is the sound of `seed + i`, so each can be made again alone.
struct Candidates {
    let prompt: String
    let options: GenerationOptions
    let ranking: Ranking
    let context: StageContext
    let report: @Sendable (RankingEvent) -> Void

    func run() throws {
        let first = options.seed ?? UInt64.random(in: 0...UInt64(UInt32.max))
        let requests = (0..<ranking.count).map { index in
            var options = options
            options.seed = first &+ UInt64(index)
            // Another candidate has the next seed already.
            options.silenceRetries = 0
            return GenerationRequest(prompt: prompt, options: options)
        }
        let failure = Mutex<AudioLDM2Error?>(nil)
        let report = report
        let group = GenerationGroup(requests: requests, context: context) { event in
            switch event {
            case .progress(let progress, let request): report(.progress(progress, candidate: request))
            case .warning(let text, let request): if request == 0 { report(.warning(text)) }
            case .finished: break
            case .failed(let error, _): failure.withLock { $0 = $0 ?? error }
            }
        }
        let jobs = try group.jobs()
        if let error = failure.withLock(\.self) { throw error }
        let plan = try plan(group, jobs)
        report(.plan(plan.summary))
        let planned = context.following(plan)
        var results: [GenerationResult] = []
        try group.compute(jobs, in: planned) { job, samples in
            results.append(try job.generation.result(samples, plan, job.timer))
        }
        if let error = failure.withLock(\.self) { throw error }
        report(.finished(try ranking.best(of: results, in: planned)))
    }

    private func plan(_ group: GenerationGroup, _ jobs: [GenerationGroup.Job]) throws -> ExecutionPlan {
        let generation = Generation(prompt: prompt, options: options, context: context)
        let samples = try generation.length().samples
        return try MemoryPlanner(
            context: context, limit: options.memoryLimit,
            soundBytes: generation.soundBytes() + ranking.soundBytes(samples: samples), isGuided: generation.isGuided,
            sounds: jobs.count
        ) { context in
            try group.tryOut(jobs, in: context)
            try ranking.tryOut(in: context)
        }.plan()
    }
}

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
        of results: [GenerationResult], from start: Double = 0, in context: StageContext
    ) throws -> [RankedSound] {
        let scores = try SoundEncoder(context: context).scores(of: results, for: prompt) { result in
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
            return RankedSound(result: result, score: scores[place])
        }
    }

    /// The same work for a planner: a second sound would take no more than the first.
    func tryOut(in context: StageContext) throws {
        _ = try SoundEncoder(context: context).scores(of: [()], for: prompt) { [0] }
    }

    /// What there is beside one sound, of so many samples each: the others, and what is heard of one.
    func soundBytes(samples: Int) -> Int {
        ((count - 1) * samples + 3 * config.sampleCount) * MemoryLayout<Float>.size
    }
}
