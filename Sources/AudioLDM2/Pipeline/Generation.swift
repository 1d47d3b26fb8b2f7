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
        let scheduler = try makeScheduler(
            options.scheduler.kind, config: model.schedulerConfig, steps: options.numInferenceSteps, eta: options.eta)
        guard options.guidanceScale.isFinite, options.guidanceScale >= 0 else {
            throw AudioLDM2Error(.invalidOption, "a guidance scale of \(options.guidanceScale): choose a number from 0")
        }
        let seed = options.seed ?? UInt64.random(in: 0...UInt64(UInt32.max))
        var timer = StageTimer()

        let conditions = try timer.measure(.encoding) {
            let encoder = PromptEncoder(context: context)
            return try encoder.encode(
                encoder.tokenize(
                    prompt, negative: options.guidanceScale > 1 ? options.negativePrompt : nil, speech: options.speech))
        }
        let latents = try timer.measure(.denoising) {
            let build = { try UNet(model.unetConfig, $0) }
            return try context.with(Model.Part.unet, build) { unet in
                let denoise = try Denoiser(unet, conditions: conditions, context: context)
                var source = NoiseSource(seed: seed, on: context.backend)
                let noise = try source.normal(
                    [1, length.latentFrames, length.latentBands, model.unetConfig.inChannels])
                return try denoise(noise, scheduler, guidanceScale: options.guidanceScale) {
                    try source.normal($0)
                }
            }
        }
        let decoder = LatentDecoder(context: context)
        let mel = try timer.measure(.decoding) { try decoder.mel(latents) }
        let samples = try timer.measure(.vocoding) { try decoder.waveform(mel, samples: length.samples) }
        return GenerationResult(
            clip: AudioClip(samples: samples, sampleRate: model.vocoderConfig.samplingRate), seed: seed,
            stageSeconds: timer.seconds)
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
