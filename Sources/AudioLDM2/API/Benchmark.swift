import Compute
import Diffusion
import Foundation
import Tensors

/// What one run of the pipeline costs on this machine.
public struct BenchmarkReport: Sendable, Codable {
    public struct Operation: Sendable, Codable {
        public let name: String
        public let calls: Int
        public let seconds: Double
        /// Multiply-accumulates per second, in billions; 0 for operations without products.
        public let gmacs: Double
    }

    /// Of the sound.
    public let seconds: Double
    public let steps: Int
    public let threads: Int
    /// The kernels in use: "avx512vnni", "avx2", …
    public let tier: String
    /// Both prompts through text encoders and language model, weights loaded.
    public let encodeSeconds: Double
    /// One guided step: median of all but the first.
    public let unetStepSeconds: Double
    /// Billions of multiply-accumulates in a guided step.
    public let unetStepGMAC: Double
    public let vaeSeconds: Double
    public let vocoderSeconds: Double
    /// All components' weights, read, checked and decompressed; contained in the stages, but not in a step.
    public let loadSeconds: Double
    /// Achieved in a step.
    public let gmacs: Double
    /// Of the best instruction, measured on registers, times threads; nil if it cannot be measured.
    public let peakGmacs: Double?
    public let peakRSSBytes: Int
    /// Operations of all steps but the first, the most expensive one first.
    public let operations: [Operation]
    public let memoryPlan: MemoryPlan

    enum CodingKeys: String, CodingKey {
        case seconds, steps, threads, tier, gmacs, operations
        case encodeSeconds = "encode_seconds"
        case unetStepSeconds = "unet_step_seconds"
        case unetStepGMAC = "unet_step_gmac"
        case vaeSeconds = "vae_seconds"
        case vocoderSeconds = "vocoder_seconds"
        case loadSeconds = "load_seconds"
        case peakGmacs = "peak_gmacs"
        case peakRSSBytes = "peak_rss_bytes"
        case memoryPlan = "memory_plan"
    }
}

/// Times the stages of the pipeline on any model, trained or random.
public struct Benchmark: Sendable {
    private let context: StageContext
    private let steps: Int
    private let seconds: Double
    private let memoryLimit: Int?

    /// - Parameters:
    ///   - seconds: of sound; nil for the length that the model was trained on.
    ///   - steps: of the denoiser; the first one warms up and does not count, so at least 2.
    ///   - memoryLimit: in bytes, as in `GenerationOptions`.
    /// - Throws: `AudioLDM2Error`.
    public init(
        modelAt path: String, seconds: Double? = nil, steps: Int = 3, threads: Int? = nil, memoryLimit: Int? = nil
    ) throws {
        guard (2...1000).contains(steps) else {
            throw AudioLDM2Error(.invalidOption, "\(steps) steps: choose 2…1000; the first one does not count")
        }
        let model = try AudioLDM2Error.translating { try Model(opening: path) }
        context = try AudioLDM2Error.translating {
            StageContext(model: model, backend: try CPUBackend(for: model, requestedThreads: threads))
        }
        self.memoryLimit = memoryLimit
        self.steps = steps
        self.seconds = seconds ?? model.defaultSeconds
    }

    public func run() throws -> BenchmarkReport {
        try AudioLDM2Error.translating {
            let length = try ClipLength(seconds: seconds, model: context.model)
            let peak = context.backend.peakProductsPerSecond.map { $0 * Double(context.backend.threadCount) / 1e9 }
            let tokens = try PromptEncoder(context: context).tokenize(
                "a dog barking while rain falls", negative: "low quality",
                speech: context.model.speaks ? .phonemes("wɪʃ juː hɐv ɐ ɡʊd dˈeɪ") : nil)
            let plan = try MemoryPlanner(
                context: context, limit: memoryLimit, soundBytes: 3 * length.samples * MemoryLayout<Float>.size,
                isGuided: true
            ) { _ = try measure(tokens, length, in: $0) }.plan()
            let planned = context.following(plan)
            let (timer, stepSeconds, operations) = try measure(tokens, length, in: planned)

            let counted = stepSeconds.dropFirst().sorted()
            let median = counted[counted.count / 2]
            let products = operations.values.reduce(0) { $0 + $1.products }
            let stepGMAC = Double(products) / Double(counted.count) / 1e9
            return BenchmarkReport(
                seconds: seconds, steps: steps, threads: context.backend.threadCount, tier: context.backend.tierName,
                encodeSeconds: timer.seconds[.encoding] ?? 0, unetStepSeconds: median, unetStepGMAC: stepGMAC,
                vaeSeconds: timer.seconds[.decoding] ?? 0, vocoderSeconds: timer.seconds[.vocoding] ?? 0,
                loadSeconds: planned.loading.seconds, gmacs: stepGMAC / median, peakGmacs: peak,
                peakRSSBytes: Self.peakRSSBytes, operations: Self.table(operations), memoryPlan: plan.summary)
        }
    }

    /// All stages, with their times, that of each step, and what the steps' operations cost.
    private func measure(
        _ tokens: [PromptEncoder.Tokens], _ length: ClipLength, in context: StageContext
    ) throws -> (StageTimer, [Double], [String: OperationTotal]) {
        var timer = StageTimer()
        let conditions = try timer.measure(.encoding) { try PromptEncoder(context: context).encode(tokens) }
        let (latents, stepSeconds) = try denoise(conditions, length, in: context)
        let operations = context.backend.operationTotals
        let decoder = LatentDecoder(context: context)
        let mel = try timer.measure(.decoding) { try decoder.mel(latents) }
        _ = try timer.measure(.vocoding) { try decoder.waveform(mel, samples: length.samples) }
        return (timer, stepSeconds, operations)
    }

    /// The diffusion loop, with the time of each step.
    private func denoise(
        _ conditions: [Condition], _ length: ClipLength, in context: StageContext
    ) throws -> (Tensor, [Double]) {
        let config = context.model.unetConfig
        let build = { try UNet(config, $0) }
        return try context.with(PartName.unet, build) { unet in
            let denoiser = try Denoiser(unet, conditions: [conditions], context: context)
            var source = NoiseSource(seeds: [0], on: context.backend)
            var sample = try source.normal([1, length.latentFrames, length.latentBands, config.inChannels])
            var scheduler = try makeScheduler(.ddim, config: context.model.schedulerConfig, steps: steps)
            var seconds: [Double] = []
            for step in scheduler.timesteps.indices.prefix(context.memory.stepLimit) {
                if step == 1 { context.backend.startMetering() }
                let start = ContinuousClock.now
                sample = try denoiser.step(step, of: &scheduler, sample, guidanceScale: 3.5) { _ in sample }
                seconds.append((ContinuousClock.now - start) / .seconds(1))
            }
            return (sample, seconds)
        }
    }

    private static func table(_ totals: [String: OperationTotal]) -> [BenchmarkReport.Operation] {
        totals.map { name, total in
            BenchmarkReport.Operation(
                name: name, calls: total.calls, seconds: total.seconds,
                gmacs: total.products > 0 ? Double(total.products) / total.seconds / 1e9 : 0)
        }.sorted { $0.seconds > $1.seconds }
    }

    private static var peakRSSBytes: Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss * 1024
    }
}
