import Evaluation
import Tensors

/// A model's own CLAP as a judge of sounds and of how well they fit texts.
public struct CLAPJudge: TextJudge, ModelJudge {
    private let sounds: CLAPSoundJudge
    /// For texts, whose encoder is loaded when it is asked for.
    private let context: StageContext<ModelFile>

    /// The model file's name, and the hash of its contents.
    public var identity: JudgeIdentity { sounds.identity }
    /// Rate of the samples that CLAP hears, in Hz.
    public var sampleRate: Int { sounds.sampleRate }
    /// Numbers of an embedding of a sound or a text: `projection_dim`.
    public var width: Int { sounds.width }
    /// Why a GPU that is there is not used; nil if one is, or there is none, or the CPU was asked for.
    public var deviceWarning: String? { sounds.deviceWarning }

    /// - Parameter memoryLimit: in bytes, as in `SoundOptions`.
    /// - Throws: `AudioLDM2Error`, also for a model without one of CLAP's halves or their tokenizer: see `CLAPSoundJudge`.
    public init(
        modelAt path: String, threads: Int? = nil, device: ComputeDevice? = nil, memoryLimit: Int? = nil
    ) throws {
        self = try AudioLDM2Error.translating {
            try Self.init(
                StageContext(ModelFile(opening: path), threads: threads, device: device, shelf: .unlimited),
                memoryLimit: memoryLimit)
        }
    }

    /// - Parameter context: with a shelf.
    init(_ context: StageContext<ModelFile>, memoryLimit: Int?) throws {
        try context.model.requireTextEncoders()
        let texts = StageContext(model: context.model, backend: context.backend)
        let plan = try texts.plan(limit: memoryLimit, soundBytes: 0) {
            _ = try SoundEncoder($0).clapEmbedding(of: "")
        }
        self.context = texts.following(plan)
        sounds = try CLAPSoundJudge(context, memoryLimit: memoryLimit)
    }

    /// The rate that sounds pass through on their way, in Hz: as `CLAPSoundJudge`.
    public func intermediateRate(_ rules: EvaluationProtocol) -> Int? { sounds.intermediateRate(rules) }

    /// How a protocol cuts sounds: as `CLAPSoundJudge`.
    public func windows(_ rules: EvaluationProtocol) -> WindowRule { sounds.windows(rules) }

    /// CLAP's embeddings of sounds, each of length 1: as `CLAPSoundJudge`.
    /// - Parameter windows: mono, at `sampleRate`.
    /// - Throws: `AudioLDM2Error`; `EvaluationError.notFinite` for numbers that are infinite or none.
    public func hear(_ windows: [[Float]]) throws -> [Heard] { try sounds.hear(windows) }

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
