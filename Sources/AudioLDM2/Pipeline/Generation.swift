import Diffusion
import Tensors

/// One run of the pipeline, stage after stage.
///
/// diffusers `AudioLDM2Pipeline.__call__`.
struct Generation {
    let prompt: String
    var options: GenerationOptions
    let context: StageContext
    /// Takes the samples as they are ready, in order; the result then has none.
    var receive: (@Sendable ([Float]) throws -> Void)?

    func run() throws -> GenerationResult {
        var seeded = self
        seeded.options.seed = options.seed ?? UInt64.random(in: 0...UInt64(UInt32.max))
        return try seeded.runSeeded()
    }

    private func runSeeded() throws -> GenerationResult {
        _ = try (length(), scheduler(), windows())
        var timer = StageTimer()
        let conditions = try timer.measure(.encoding) { try PromptEncoder(context: context).encode(tokens()) }
        let config = context.model.unetConfig
        let build = { try UNet(config, $0) }
        let latents = try context.with(Model.Part.unet, build) { try denoise(with: $0, conditions, &timer) }
        return try finish(latents, &timer)
    }

    func length() throws -> ClipLength {
        try ClipLength(
            seconds: options.seconds ?? context.model.defaultSeconds, loops: options.loops, model: context.model)
    }

    /// Nil if the UNet can see the whole sound at once.
    func windows() throws -> LatentWindows? {
        let (model, range) = (context.model, GenerationOptions.windowRange)
        let seconds = options.windowSeconds ?? max(model.defaultSeconds, range.lowerBound)
        guard range.contains(seconds) else {
            throw AudioLDM2Error(
                .invalidOption,
                "a window of \(seconds) seconds: choose \(Int(range.lowerBound))…\(Int(range.upperBound))")
        }
        return LatentWindows(
            frames: try length().latentFrames, longest: try ClipLength(seconds: seconds, model: model).latentFrames,
            isCircular: options.loops)
    }

    func scheduler() throws -> any Scheduler {
        guard options.guidanceScale.isFinite, options.guidanceScale >= 0 else {
            throw AudioLDM2Error(.invalidOption, "a guidance scale of \(options.guidanceScale): choose a number from 0")
        }
        return try makeScheduler(
            options.scheduler.kind, config: context.model.schedulerConfig, steps: options.numInferenceSteps,
            eta: options.eta)
    }

    func tokens() throws -> [PromptEncoder.Tokens] {
        try PromptEncoder(context: context).tokenize(
            prompt, negative: options.guidanceScale > 1 ? options.negativePrompt : nil)
    }

    /// From noise to latents.
    func denoise(with unet: UNet, _ conditions: [Condition], _ timer: inout StageTimer) throws -> Tensor {
        try timer.measure(.denoising) {
            let length = try length()
            let denoise = try Denoiser(unet, conditions: conditions, windows: windows(), context: context)
            var source = NoiseSource(seed: options.seed ?? 0, on: context.backend)
            let noise = try source.normal(
                [1, length.latentFrames, length.latentBands, context.model.unetConfig.inChannels])
            return try denoise(noise, scheduler(), guidanceScale: options.guidanceScale) { try source.normal($0) }
        }
    }

    /// From latents to the sound.
    func finish(_ latents: Tensor, _ timer: inout StageTimer) throws -> GenerationResult {
        let decoder = LatentDecoder(context: context)
        let length = try length()
        // A loop is decoded with some of its end before its start and some of its start behind its end.
        let margin = options.loops ? LatentDecoder.reach : 0
        let skipped = margin * (length.samples / length.latentFrames)
        let latents = margin > 0 ? try latents.extendedAround(by: margin) : latents
        let mel = try timer.measure(.decoding) { try decoder.mel(latents) }
        var samples = try timer.measure(.vocoding) {
            try decoder.waveform(mel, samples: skipped + length.samples)
        }
        samples.removeFirst(skipped)
        if let receive {
            try receive(samples)
            samples = []
        }
        return GenerationResult(
            clip: AudioClip(samples: samples, sampleRate: context.model.vocoderConfig.samplingRate),
            seed: options.seed ?? 0, record: try record(), stageSeconds: timer.seconds)
    }

    func record() throws -> SoundRecord {
        try SoundRecord(
            prompt: prompt, options: options, seed: options.seed ?? 0, samples: length().samples, model: context.model)
    }
}

/// Wall time by stage.
struct StageTimer {
    private(set) var seconds: [GenerationProgress.Stage: Double] = [:]
    private let clock = ContinuousClock()

    mutating func add(_ stage: GenerationProgress.Stage, _ seconds: Double) {
        self.seconds[stage, default: 0] += seconds
    }

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
