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
    case progress(GenerationProgress, candidate: Int)
    case warning(String)
    /// The last event: the sounds that are kept, best first.
    case finished([RankedSound])
}

/// Several sounds of one prompt, of which the best are kept.
///
/// Candidate `i` is the sound of `seed + i`, so each can be made again alone. Ranked as diffusers
/// `AudioLDM2Pipeline.score_waveforms` does, but for its random crops.
struct Candidates {
    static let range = 1...64

    let prompt: String
    let options: GenerationOptions
    let count: Int
    let kept: Int
    let context: StageContext
    let report: @Sendable (RankingEvent) -> Void

    func run() throws {
        let range = Self.range
        guard range.contains(count), (1...count).contains(kept) else {
            throw AudioLDM2Error(
                .invalidOption,
                "\(kept) of \(count) candidates: choose \(range.lowerBound)…\(range.upperBound), and keep 1 or more")
        }
        let ranking = try Ranking(prompt, context: context)
        let results = try results()
        let scores = try ranking.scores(of: results.map(\.clip))
        // Of equal scores the earlier comes first.
        let order = scores.indices.sorted { (scores[$1], $0) < (scores[$0], $1) }
        report(
            .finished(
                order.prefix(kept).map { place in
                    var result = results[place]
                    result.record.score = scores[place]
                    result.record.candidates = count
                    return RankedSound(result: result, score: scores[place])
                }))
    }

    /// In the order of their seeds. Texts and UNet are worked through once for all.
    private func results() throws -> [GenerationResult] {
        var shared = Generation(prompt: prompt, options: options, context: context)
        if !shared.isConditioned { shared.options.condition = try shared.encoded() }
        let first = options.seed ?? UInt64.random(in: 0...UInt64(UInt32.max))
        let requests = (0..<count).map { index in
            var options = shared.options
            options.seed = first &+ UInt64(index)
            return GenerationRequest(prompt: prompt, options: options)
        }
        let collected = Mutex<(results: [Int: GenerationResult], failure: AudioLDM2Error?)>(([:], nil))
        let report = report
        try GenerationGroup(requests: requests, context: context) { event in
            switch event {
            case .progress(let progress, let request): report(.progress(progress, candidate: request))
            case .warning(let text, _): report(.warning(text))
            case .finished(let result, let request): collected.withLock { $0.results[request] = result }
            case .failed(let error, _): collected.withLock { $0.failure = $0.failure ?? error }
            }
        }.run()
        return try collected.withLock { collected in
            if let failure = collected.failure { throw failure }
            return requests.indices.compactMap { collected.results[$0] }
        }
    }
}

/// Compares sounds with one text by CLAP.
private struct Ranking {
    private let text: [Float]
    private let config: CLAPFeatureConfig
    private let context: StageContext

    /// - Throws: `AudioLDM2Error` for a model without CLAP's audio encoder, before any work is done.
    init(_ prompt: String, context: StageContext) throws {
        _ = try context.model.clapAudioConfig()
        config = try context.model.clapFeatureConfig()
        text = try PromptEncoder(context: context).clapEmbedding(of: prompt).values()
        self.context = context
    }

    func scores(of clips: [AudioClip]) throws -> [Double] {
        let sounds = clips.map { clip in
            let heard = clip.samples.prefix(clip.sampleRate * config.maxLengthS)
            return Resampler.resample(Array(heard), from: clip.sampleRate, to: config.samplingRate)
        }
        return try SoundEncoder(context: context).clapEmbeddings(of: sounds).map {
            Double(cosine(text, try $0.values()))
        }
    }
}
