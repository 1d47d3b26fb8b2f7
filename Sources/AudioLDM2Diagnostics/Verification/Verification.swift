import AudioLDM2
import Checkpoints
import Diffusion
import Tensors
import WeightFile

/// Runs what a golden file recorded, and compares stage by stage, each fed from our own previous one.
///
/// Golden files come from the reference implementation; their metadata say prompt, negative prompt, length, steps and
/// guidance, and they hold the initial noise.
public struct ModelVerification: Sendable {
    private let context: GenerationContext
    private let golden: GoldenFile
    /// Why a GPU that is there is not used; nil if one is, or there is none, or the CPU was asked for.
    public var deviceWarning: String? { context.deviceWarning }

    /// - Throws: `AudioLDM2Error` for files that cannot be used.
    public init(
        modelAt model: String, goldenAt golden: String, threads: Int? = nil, device: ComputeDevice? = nil
    ) async throws {
        self = try await onOwnThread { _ in
            try ModelVerification(opening: model, goldenAt: golden, threads: threads, device: device)
        }
    }

    /// The same on the caller's thread, which waits for it.
    package init(
        opening model: String, goldenAt golden: String, threads: Int? = nil, device: ComputeDevice? = nil
    ) throws {
        (context, self.golden) = try AudioLDM2Error.translating {
            (try GenerationContext(Model(opening: model), threads: threads, device: device), try GoldenFile(golden))
        }
    }

    /// - Parameters:
    ///   - dumpPath: where to write our tensors under the golden file's names, in its order of axes.
    ///   - onRow: sees each row as soon as it is known, on the working thread.
    public func run(
        dumpTo dumpPath: String? = nil, onRow: @escaping @Sendable (VerificationReport.Row) -> Void = { _ in }
    ) async throws -> VerificationReport {
        try await onOwnThread { _ in try blockingRun(dumpTo: dumpPath, onRow: onRow) }
    }

    /// The same on the caller's thread, which waits for it.
    package func blockingRun(
        dumpTo dumpPath: String? = nil, onRow: @escaping (VerificationReport.Row) -> Void = { _ in }
    ) throws -> VerificationReport {
        try AudioLDM2Error.translating {
            if let dumpPath { try SafetensorsWriter.checkWritable(dumpPath) }
            let tolerances = context.model.tolerances
            var comparison = Comparison(golden: golden, tolerances: tolerances, onRow: onRow)
            let (conditions, embedding) = try compareText(&comparison)
            let latents = try compareDenoising(conditions, &comparison)
            try compareDecoding(latents, &comparison)
            try compareListening(embedding, &comparison)
            comparison.addUncomputed()
            if let dumpPath { try SafetensorsWriter.write(comparison.computed, to: dumpPath) }
            return VerificationReport(rows: comparison.rows, weights: tolerances.weights)
        }
    }

    /// - Returns: also CLAP's embedding of the prompt.
    private func compareText(_ comparison: inout Comparison) throws -> ([Condition], Tensor?) {
        var observed: [(String, Tensor)] = []
        let encoder = PromptEncoder(context: context) { observed.append(($0, $1)) }
        let tokens = try encoder.tokenize(
            golden.prompt, negative: golden.negativePrompt, speech: golden.transcription.map { .phonemes($0) })
        if let ids = tokens.last?.clap?.ids, let config = context.model.clapConfig {
            let padding = Array(repeating: config.textConfig.padTokenId, count: max(0, 512 - ids.count))
            try comparison.compare("prompt.ids.clap", integers: ids + padding)
        }
        if let ids = tokens.last?.second?.ids {
            // Recorded before the end of the phonemes is marked.
            let isMark = { context.model.speaks && $0 == PromptEncoder.endOfPhonemes }
            try comparison.compare("prompt.ids.second", integers: ids.map { isMark($0) ? 0 : $0 })
        }
        let conditions = try encoder.encode(tokens)
        for (name, tensor) in observed { try comparison.compare(name, tensor) }
        return (conditions, observed.first { $0.0 == "clap.text" }?.1)
    }

    private func compareDenoising(_ conditions: [Condition], _ comparison: inout Comparison) throws -> Tensor {
        let initial = try golden.latents("latents.initial", on: context.backend)
        try comparison.compare("latents.initial", initial, order: .channelsFirst)
        return try context.withUNet { unet in
            let conditioned = try ConditionedUNet(unet, conditions: [conditions], context: context)
            let denoise = DiffusionLoop(context: context)
            let guidance = Guidance(scale: golden.guidanceScale)
            let ddim = try scheduler(.ddim)
            try comparison.compare("timesteps", integers: ddim.timesteps.map { Int($0) })
            let predictor = try conditioned.predictor(at: ddim.timesteps, guidance)
            try comparison.compare("unet.eps.0", predictor.predictions(initial, step: 0), order: .channelsFirst)
            func latents(_ scheduler: any Scheduler) throws -> Tensor {
                try denoise(initial, scheduler, conditioned.predictor(at: scheduler.timesteps, guidance)) { _ in
                    initial
                }
            }
            let final = try latents(ddim)
            try comparison.compare("latents.final", final, order: .channelsFirst)
            for (name, kind) in [("dpmpp", SchedulerKind.dpmpp), ("unipc", .unipc), ("euler", .euler), ("pndm", .pndm)]
            where golden.has("latents." + name) {
                try comparison.compare("latents." + name, latents(scheduler(kind)), order: .channelsFirst)
            }
            return final
        }
    }

    private func compareDecoding(_ latents: Tensor, _ comparison: inout Comparison) throws {
        let decoder = LatentDecoder(context: context)
        let samples = try ClipLength(seconds: golden.seconds, model: context.model).samples
        let mel = try decoder.mel(latents)
        try comparison.compare("mel", mel, order: .channelsFirst)
        try comparison.compare("waveform", [1, samples], decoder.waveform(mel, samples: samples))
        if golden.has("latents.final"), golden.has("mel") {
            let fromGolden = try decoder.mel(golden.latents("latents.final", on: context.backend))
            try comparison.compare("mel", fromGolden, order: .channelsFirst, fedFrom: "golden latents")
        }
        if golden.has("mel"), golden.has("waveform") {
            let mel = try golden.latents("mel", on: context.backend)
            try comparison.compare(
                "waveform", [1, samples], decoder.waveform(mel, samples: samples), fedFrom: "golden mel")
        }
    }

    /// The models that listen, fed from the golden file: nothing before them makes their input.
    private func compareListening(_ embedding: Tensor?, _ comparison: inout Comparison) throws {
        if golden.has("vae.encode.mean"), golden.has("mel"), context.model.has(.vaeEncoder) {
            let mel = try golden.latents("mel", on: context.backend)
            let mean = try LatentEncoder(context: context).posterior(mel).mean
            try comparison.compare("vae.encode.mean", mean, order: .channelsFirst)
        }
        if golden.has("clap.wave48"), context.model.has(.clapAudio) {
            let wave = try golden.values("clap.wave48").values
            try comparison.compare("clap.wave48", [wave.count], wave)
            let config = try context.model.clapFeatureConfig()
            let features = CLAPFeatures(config)(wave)
            let frames = features.count / config.featureSize
            try comparison.compare("clap.mel", [1, 1, frames, config.featureSize], features)
            let audio = try SoundEncoder(context).clapEmbeddings(of: [wave]) { $0 }[0]
            try comparison.compare("clap.audio", audio)
            if let embedding { try comparison.compare("clap.score", [1], [cosine(embedding.values(), audio.values())]) }
        }
    }

    /// Golden files were recorded with schedulers made in one process, where each keeps its own default spacing.
    private func scheduler(_ kind: SchedulerKind) throws -> any Scheduler {
        try makeScheduler(
            kind, config: context.model.schedulerConfig, steps: golden.steps, spacing: kind.defaultSpacing)
    }
}

extension Model {
    /// By the most compact weights in the file.
    var tolerances: VerificationTolerances {
        let formats = Set(pack.components.flatMap { $0.tensors.map(\.description.format) })
        return formats.contains(.int8) ? .int8 : formats.contains(.float16) ? .float16 : .float32
    }
}
