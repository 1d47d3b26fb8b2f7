import Evaluation
import Tensors

/// The half of CLAP that hears, as a judge of sounds: for files of CLAP that hold no tokenizer, and so read no texts.
public struct CLAPSoundJudge: ModelJudge {
    /// The model file's name, and the hash of its contents.
    public let identity: JudgeIdentity
    /// Rate of the samples that CLAP hears, in Hz.
    public let sampleRate: Int
    /// Numbers of an embedding of a sound: `projection_dim`.
    public let width: Int
    /// Why a GPU that is there is not used; nil if one is, or there is none, or the CPU was asked for.
    public let deviceWarning: String?
    /// Why it compares no sounds with texts, and what to do; nil for a file that can.
    public let textRefusal: String?
    private let hearing: WindowHearing<Heard>
    /// What the model hears, in seconds.
    private let seconds: Int

    /// - Parameter memoryLimit: in bytes, as in `SoundOptions`.
    /// - Throws: `AudioLDM2Error`, also for a model without CLAP's audio encoder.
    public init(
        modelAt path: String, threads: Int? = nil, device: ComputeDevice? = nil, memoryLimit: Int? = nil
    ) throws {
        self = try AudioLDM2Error.translating {
            let context = try StageContext(
                ModelFile(opening: path), threads: threads, device: device, shelf: .unlimited)
            return try Self.init(context, memoryLimit: memoryLimit)
        }
    }

    /// - Parameter context: with a shelf.
    init(_ context: StageContext<ModelFile>, memoryLimit: Int?) throws {
        let (pack, config) = (context.model.pack, try context.model.clapFeatureConfig())
        identity = JudgeIdentity(name: "CLAP of \(pack.path.split(separator: "/").last ?? "")", hash: pack.contentHash)
        let width = try context.model.clapAudioConfig().projectionDim
        (sampleRate, seconds, self.width) = (config.samplingRate, config.maxLengthS, width)
        deviceWarning = context.deviceWarning
        textRefusal = Self.textRefusal(of: context.model)
        hearing = try WindowHearing(context, limit: memoryLimit, length: config.sampleCount) { context, windows in
            let values = try SoundEncoder(context).clapEmbeddings(ofWindows: windows).values()
            return try stride(from: 0, to: values.count, by: width).map {
                Heard(embeddings: try Embeddings(width: width, values: Array(values[$0..<$0 + width])))
            }
        }
    }

    /// Why a file's CLAP reads no texts.
    static func textRefusal(of file: ModelFile) -> String? {
        if !file.missingTextEncoders.isEmpty || file.pack.component(CLAPTextEncoder.part) == nil {
            return "it was made without CLAP's half that reads"
        }
        guard file.pack.blobs.contains(where: { $0.name == PartName.tokenizer }) else {
            return "it has no tokenizer: convert the checkpoint again with --tokenizer FOLDER"
        }
        return nil
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
    public func hear(_ windows: [[Float]]) throws -> [Heard] { try hearing.hear(windows) }
}
