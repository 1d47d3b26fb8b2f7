import Evaluation
import Tensors

/// A network that was made to hear, as a judge of sounds: VGGish, Cnn14 and others whose files `audioldm2-convert` reads.
public struct NetworkJudge: ModelJudge {
    /// The model file's name, and the hash of its contents.
    public let identity: JudgeIdentity
    /// Rate of the samples that the network hears, in Hz.
    public let sampleRate: Int
    /// Numbers of an embedding.
    public let width: Int
    /// Classes that it knows; nil if it only embeds.
    public let classCount: Int?
    /// Why a GPU that is there is not used; nil if one is, or there is none, or the CPU was asked for.
    public let deviceWarning: String?
    private let rule: @Sendable (EvaluationProtocol) -> WindowRule
    private let hearing: WindowHearing<Heard>

    /// Length of the windows that memory is planned for before any came, in seconds.
    private static let plannedSeconds = 10

    /// - Parameter memoryLimit: in bytes, as in `SoundOptions`.
    /// - Throws: `AudioLDM2Error`, also for a model file that holds no such network.
    public init(
        modelAt path: String, threads: Int? = nil, device: ComputeDevice? = nil, memoryLimit: Int? = nil
    ) throws {
        self = try AudioLDM2Error.translating {
            try Self.init(ModelFile(opening: path), threads: threads, device: device, memoryLimit: memoryLimit)
        }
    }

    init(_ file: ModelFile, threads: Int?, device: ComputeDevice?, memoryLimit: Int?) throws {
        guard let network = SoundJudges.of(file.pack.components.map(\.name)) else {
            let titles = SoundJudges.all.map { $0.title }.joined(separator: ", ")
            throw AudioLDM2Error(
                .modelFile,
                "\(file.pack.path): holds no network that judges; convert a file of one of them: \(titles)")
        }
        let context = try StageContext(file, threads: threads, device: device, shelf: .unlimited)
        try self.init(network, context, memoryLimit: memoryLimit)
    }

    private init<Network: SoundJudge>(
        _: Network.Type, _ context: StageContext<ModelFile>, memoryLimit: Int?
    ) throws {
        let pack = context.model.pack
        let config: Network.Config = try pack.config(Network.part)
        let name = pack.path.split(separator: "/").last ?? ""
        identity = JudgeIdentity(name: "\(Network.title) of \(name)", hash: pack.contentHash)
        (sampleRate, width, classCount) = (config.samplingRate, config.embeddingSize, config.classCount)
        deviceWarning = context.deviceWarning
        rule = { Network.windows($0, config) }
        hearing = try WindowHearing(
            context, limit: memoryLimit, length: config.samplingRate * Self.plannedSeconds
        ) { context, windows in
            try context.with(Network.self, config) { network in
                try network(windows, on: context.backend).map { judgement in
                    Heard(
                        embeddings: try Embeddings(
                            width: config.embeddingSize, values: judgement.embeddings.values()),
                        logits: try judgement.logits.map {
                            try Embeddings(width: $0.shape.last, values: $0.values())
                        })
                }
            }
        }
    }

    /// How a protocol cuts sounds for this network.
    public func windows(_ rules: EvaluationProtocol) -> WindowRule { rule(rules) }

    /// - Parameter windows: samples at `sampleRate`.
    /// - Throws: `EvaluationError` for samples that cannot be heard, `AudioLDM2Error` also for windows that memory does not
    ///   suffice for.
    public func hear(_ windows: [[Float]]) throws -> [Heard] { try hearing.hear(windows) }
}
