import Diffusion
import Tensors

/// One run of the pipeline, stage after stage.
///
/// diffusers `AudioLDM2Pipeline.__call__`.
struct Generation {
    let prompt: String
    let options: GenerationOptions
    let context: StageContext

    func run() throws -> GenerationResult {
        let model = context.model
        let length = try ClipLength(seconds: options.seconds ?? model.defaultSeconds, model: model)
        let scheduler = try scheduler()
        let seed = options.seed ?? UInt64.random(in: 0...UInt64(UInt32.max))
        var timer = StageTimer()
        let tokens = try timer.measure(.encoding) {
            try PromptEncoder(context: context).tokenize(
                prompt, negative: isGuided ? options.negativePrompt : nil, speech: options.speech)
        }
        let plan = try plan(tokens, length)
        context.report(.plan(plan.summary))
        let samples = try compute(tokens, scheduler, length, seed: seed, &timer, in: context.following(plan))
        return GenerationResult(
            clip: AudioClip(samples: samples, sampleRate: model.vocoderConfig.samplingRate), seed: seed,
            memoryPlan: plan.summary,
            activationBytes: Dictionary(
                uniqueKeysWithValues: plan.record.stages.map { ($0.component, $0.activationBytes) }),
            stageSeconds: timer.seconds)
    }

    /// What memory a prompt of any length may take.
    func plan() throws -> MemoryPlan {
        let length = try ClipLength(seconds: options.seconds ?? context.model.defaultSeconds, model: context.model)
        let tokens = try PromptEncoder(context: context).longestTokens(count: isGuided ? 2 : 1)
        return try plan(tokens, length).summary
    }

    private var isGuided: Bool { options.guidanceScale > 1 }

    private func scheduler() throws -> any Scheduler {
        guard options.guidanceScale.isFinite, options.guidanceScale >= 0 else {
            throw AudioLDM2Error(.invalidOption, "a guidance scale of \(options.guidanceScale): choose a number from 0")
        }
        return try makeScheduler(
            options.scheduler.kind, config: context.model.schedulerConfig, steps: options.numInferenceSteps,
            eta: options.eta)
    }

    private func plan(_ tokens: [PromptEncoder.Tokens], _ length: ClipLength) throws -> ExecutionPlan {
        let scheduler = try scheduler()
        return try MemoryPlanner(
            context: context, limit: options.memoryLimit, samples: length.samples, isGuided: isGuided
        ) { context in
            var timer = StageTimer()
            _ = try compute(tokens, scheduler, length, seed: 0, &timer, in: context)
        }.plan()
    }

    private func compute(
        _ tokens: [PromptEncoder.Tokens], _ scheduler: any Scheduler, _ length: ClipLength, seed: UInt64,
        _ timer: inout StageTimer, in context: StageContext
    ) throws -> [Float] {
        let config = context.model.unetConfig
        let conditions = try timer.measure(.encoding) { try PromptEncoder(context: context).encode(tokens) }
        let latents = try timer.measure(.denoising) {
            try context.with(Model.Part.unet, { try UNet(config, $0) }) { unet in
                let denoise = try Denoiser(unet, conditions: conditions, context: context)
                var source = NoiseSource(seed: seed, on: context.backend)
                let noise = try source.normal([1, length.latentFrames, length.latentBands, config.inChannels])
                return try denoise(noise, scheduler, guidanceScale: options.guidanceScale) {
                    try source.normal($0)
                }
            }
        }
        let decoder = LatentDecoder(context: context)
        let mel = try timer.measure(.decoding) { try decoder.mel(latents) }
        return try timer.measure(.vocoding) { try decoder.waveform(mel, samples: length.samples) }
    }
}

/// Wall time by stage.
struct StageTimer {
    private(set) var seconds: [GenerationProgress.Stage: Double] = [:]
    private let clock = ContinuousClock()

    mutating func measure<Result>(_ stage: GenerationProgress.Stage, _ body: () throws -> Result) rethrows -> Result {
        let start = clock.now
        defer { seconds[stage, default: 0] += (clock.now - start) / .seconds(1) }
        return try body()
    }
}

extension GenerationOptions.Scheduler {
    var kind: SchedulerKind {
        switch self {
        case .ddim: .ddim
        case .dpmpp: .dpmpp
        case .unipc: .unipc
        case .euler: .euler
        case .pndm: .pndm
        }
    }
}
