import Audio
import Tensors
import Tokenizers

/// How well a sound fits a text.
public struct SoundScore: Sendable, Hashable, Codable {
    /// The sound, as it was named.
    public let file: String
    /// Cosine of the angle between the CLAP embeddings of both, −1…1. What counts as high depends on the model; compare
    /// scores of one text and one model.
    public let score: Double
}

/// Compares sounds with texts by a model's CLAP. The model need not make sounds: a file of CLAP alone will do.
///
///     let scorer = try await SoundScorer(modelAt: "audioldm2.aldm")
///     let scores = try await scorer.scores(of: ["a.wav", "b.mp3"], for: "a dog barking")
public struct SoundScorer: Sendable {
    private let context: StageContext<ModelFile>
    private let memoryLimit: Int?
    private let queue: JobQueue
    /// Why a GPU that is there is not used; nil if one is, or there is none, or the CPU was asked for.
    public var deviceWarning: String? { context.deviceWarning }

    /// - Parameter memoryLimit: in bytes, as in `SoundOptions`.
    /// - Throws: `AudioLDM2Error`, also for a model without CLAP's audio encoder.
    public init(
        modelAt path: String, threads: Int? = nil, device: ComputeDevice? = nil, memoryLimit: Int? = nil
    ) async throws {
        self = try await onOwnThread { _ in
            try SoundScorer(opening: path, threads: threads, device: device, memoryLimit: memoryLimit)
        }
    }

    /// The same on the caller's thread, which waits for it.
    package init(
        opening path: String, threads: Int? = nil, device: ComputeDevice? = nil, memoryLimit: Int? = nil
    ) throws {
        self.memoryLimit = memoryLimit
        queue = JobQueue()
        context = try AudioLDM2Error.translating {
            try StageContext(judgingWith: path, threads: threads, device: device)
        }
    }

    /// Of each sound its beginning is heard: ten seconds with the published models. Shorter ones are repeated.
    /// - Parameters:
    ///   - files: of any format, rate and number of channels that can be read.
    ///   - notice: is told what was done to a sound that nobody expects, on the working thread.
    ///   - unusable: told of each file that cannot be used; it is then left out. Without it such a file is an error.
    /// - Returns: in the order of `files`.
    /// - Throws: `AudioLDM2Error`, without `unusable` also one that names the file that cannot be used; `CancellationError`.
    public func scores(
        of files: [String], for prompt: String, notice: @escaping @Sendable (String) -> Void = { _ in },
        unusable: (@Sendable (String, AudioLDM2Error) -> Void)? = nil
    ) async throws -> [SoundScore] {
        try await queue.run { [context] cancellation in
            try scores(
                of: files, for: prompt, in: context.cancelled(by: cancellation), notice: notice, unusable: unusable)
        }
    }

    /// The same of sounds that the program holds, all of their channels as one.
    /// - Returns: cosines as `SoundScore` has them, in the order of `clips`.
    /// - Throws: `AudioLDM2Error`; `CancellationError`.
    public func scores(of clips: [AudioClip], for prompt: String) async throws -> [Double] {
        try await queue.run { [context, memoryLimit] cancellation in
            try AudioLDM2Error.translating {
                let context = context.cancelled(by: cancellation)
                let config = try context.model.clapFeatureConfig()
                for clip in clips { try clip.validate() }
                let plan = try context.planOfScores(for: prompt, limit: memoryLimit)
                return try SoundEncoder(context.following(plan)).scores(of: clips, for: prompt) { clip in
                    clip.beginning(seconds: Double(config.maxLengthS), sampleRate: config.samplingRate)
                }
            }
        }
    }

    /// The same on the caller's thread, which waits for it.
    package func blockingScores(
        of files: [String], for prompt: String, unusable: ((String, AudioLDM2Error) -> Void)? = nil
    ) throws -> [SoundScore] {
        try AudioLDM2Error.translating {
            try scores(of: files, for: prompt, in: context, notice: { _ in }, unusable: unusable)
        }
    }

    private func scores(
        of files: [String], for prompt: String, in context: StageContext<ModelFile>, notice: (String) -> Void,
        unusable: ((String, AudioLDM2Error) -> Void)?
    ) throws -> [SoundScore] {
        let config = try context.model.clapFeatureConfig()
        let plan = try context.planOfScores(for: prompt, limit: memoryLimit)
        var used: [String] = []
        let scores = try SoundEncoder(context.following(plan)).scores(of: files, for: prompt) { file in
            do {
                let samples = try AudioLDM2Error.translating {
                    try SoundFile.readMono(
                        file, sampleRate: config.samplingRate, maximumSeconds: Double(config.maxLengthS),
                        excess: .cut, notice: notice)
                }
                used.append(file)
                return samples
            } catch let error as AudioLDM2Error {
                guard let unusable, error.kind == .file else { throw error }
                unusable(file, error)
                return nil
            }
        }
        return zip(used, scores).map { SoundScore(file: $0, score: $1) }
    }
}

extension StageContext<ModelFile> {
    /// Opens a model file whose CLAP is to judge sounds.
    /// - Throws: `AudioLDM2Error`, also for a model without one of CLAP's halves; as `Computing` does.
    init(judgingWith path: String, threads: Int?, device: ComputeDevice?) throws {
        try self.init(ModelFile(opening: path), threads: threads, device: device)
        try model.requireTextEncoders()
        _ = try (model.clapAudioConfig(), model.clapFeatureConfig())
    }

    /// A plan for comparing sounds, one at a time, with a text.
    func planOfScores(for prompt: String, limit: Int?) throws -> ExecutionPlan {
        let soundBytes = 3 * (try model.clapFeatureConfig().sampleCount) * MemoryLayout<Float>.size
        return try plan(limit: limit, soundBytes: soundBytes) {
            _ = try SoundEncoder($0).scores(of: [()], for: prompt) { [0] }
        }
    }
}

extension AudioClip {
    /// What `SoundFile.readMono` would make of the sound's file.
    /// - Parameter seconds: at most.
    fileprivate func beginning(seconds: Double, sampleRate: Int) -> [Float] {
        let count = { (rate: Int) in Int((seconds * Double(rate)).rounded(.up)) }
        let mix = MonoMix(of: Array(samples.prefix(count(self.sampleRate) * channels)), channels: channels)
        // The resampler looks a little further than what is heard.
        let end = min((count(self.sampleRate) + self.sampleRate) * channels, samples.count)
        let mono = stride(from: 0, to: end, by: channels).map { mix(samples[$0..<$0 + channels]) }
        return Array(Resampler.resample(mono, from: self.sampleRate, to: sampleRate).prefix(count(sampleRate)))
    }
}

/// Of two vectors that are not zero.
package func cosine(_ a: [Float], _ b: [Float]) -> Float {
    let product = zip(a, b).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
    let norms = [a, b].map { $0.reduce(0.0) { $0 + Double($1) * Double($1) } }
    return Float(product / max((norms[0] * norms[1]).squareRoot(), 1e-30))
}
