import Audio
import Evaluation
import Tensors

/// A model's own CLAP as a judge of sounds and of how well they fit texts.
public struct CLAPJudge: TextJudge, ModelJudge {
    /// The model file's name, and the hash of its contents.
    public let identity: JudgeIdentity
    /// Rate of the samples that CLAP hears, in Hz.
    public let sampleRate: Int
    /// Numbers of an embedding of a sound or a text: `projection_dim`.
    public let width: Int
    /// Why a GPU that is there is not used; nil if one is, or there is none, or the CPU was asked for.
    public let deviceWarning: String?
    private let context: StageContext<ModelFile>
    /// What the model hears, in seconds.
    private let seconds: Int

    /// - Parameter memoryLimit: in bytes, as in `SoundOptions`.
    /// - Throws: `AudioLDM2Error`, also for a model without CLAP's audio encoder.
    public init(
        modelAt path: String, threads: Int? = nil, device: ComputeDevice? = nil, memoryLimit: Int? = nil
    ) throws {
        (context, identity, sampleRate, width, seconds) = try AudioLDM2Error.translating {
            let context = try StageContext(judgingWith: path, threads: threads, device: device)
            let config = try context.model.clapFeatureConfig()
            let planned = context.following(try context.planOfScores(for: "", limit: memoryLimit))
            let width = try SoundEncoder(planned).clapEmbedding(of: "").values().count
            let hash = context.model.pack.contentHash
            return (
                planned, JudgeIdentity(name: "CLAP of \(path.split(separator: "/").last ?? "")", hash: hash),
                config.samplingRate, width, config.maxLengthS
            )
        }
        deviceWarning = context.deviceWarning
    }

    /// The rate that sounds pass through on their way, in Hz: the paper's evaluation made 32 kHz of them before CLAP's 48.
    public func intermediateRate(_ rules: EvaluationProtocol) -> Int? { rules.name == .audioldm2 ? 32000 : nil }

    /// The first ten seconds, shorter sounds repeated; fadtk and kadtk hear ten from every second on.
    public func windows(_ rules: EvaluationProtocol) -> WindowRule {
        rules.isToolkit
            ? rules.windows(sampleRate: sampleRate)
            : .first(seconds * sampleRate, filling: .repetition)
    }

    /// CLAP's embeddings of sounds, each of length 1.
    /// - Parameter windows: mono, at `sampleRate`.
    /// - Throws: `AudioLDM2Error`; `EvaluationError.notFinite` for numbers that are infinite or none.
    public func hear(_ windows: [[Float]]) throws -> [Heard] {
        let values = try AudioLDM2Error.translating {
            try SoundEncoder(context).clapEmbeddings(of: windows) { $0 }.map { try $0.values() }
        }
        return try values.map { Heard(embeddings: try Embeddings(width: width, values: $0)) }
    }

    /// CLAP's embeddings of texts, each of length 1; a long text is cut as prompts are.
    /// - Throws: `AudioLDM2Error`; `EvaluationError.notFinite` for numbers that are infinite or none.
    public func embeddings(ofTexts texts: [String]) throws -> Embeddings {
        let values = try AudioLDM2Error.translating {
            let config: CLAPConfig = try context.model.pack.config(CLAPTextEncoder.part)
            let tokenizers = PromptTokenizers(context.model)
            let ids = try texts.map { try context.clapTokens($0, named: "prompt", config, tokenizers).ids }
            return try context.with(CLAPTextEncoder.self, config) { encoder in
                try ids.flatMap { try encoder($0, on: context.backend).values() }
            }
        }
        return try Embeddings(width: width, values: values)
    }
}
