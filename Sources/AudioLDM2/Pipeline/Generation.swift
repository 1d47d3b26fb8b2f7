import Diffusion
import Tensors

/// One run of the pipeline, stage after stage.
///
/// diffusers `AudioLDM2Pipeline.__call__`.
struct Generation {
    let prompt: String
    var options: GenerationOptions
    var context: StageContext
    /// Takes the samples as they are ready, in order; the result then has none.
    var receive: (@Sendable ([Float]) throws -> Void)?

    func run() throws -> GenerationResult {
        var seeded = self
        seeded.options.seed = options.seed ?? UInt64.random(in: 0...UInt64(UInt32.max))
        return try seeded.runPlanned()
    }

    private func runPlanned() throws -> GenerationResult {
        try check()
        var timer = StageTimer()
        let tokens = try timer.measure(.encoding) { try self.tokens() }
        let plan = try plan(tokens)
        context.report(.plan(plan.summary))
        var planned = self
        planned.context = context.following(plan)
        let samples = try planned.compute(tokens, &timer)
        return try result(samples, plan, timer)
    }

    /// What memory a prompt of any length may take.
    func plan() throws -> MemoryPlan {
        guard isConditioned || context.model.missingTextEncoders.isEmpty else {
            var conditioned = self
            conditioned.options.condition = .largest(for: context.model)
            return try conditioned.plan()
        }
        try check()
        let encoder = PromptEncoder(context: context)
        return try plan(isConditioned ? [] : encoder.longestTokens(count: isGuided ? 2 : 1)).summary
    }

    func plan(_ tokens: [PromptEncoder.Tokens]) throws -> ExecutionPlan {
        try MemoryPlanner(
            context: context, limit: options.memoryLimit, soundBytes: soundBytes(), isGuided: isGuided
        ) { context in
            var trial = self
            (trial.context, trial.receive) = (context, nil)
            var timer = StageTimer()
            _ = try trial.compute(tokens, &timer)
        }.plan()
    }

    /// The finished sound is copied twice, unless it goes while it is made.
    func soundBytes() throws -> Int {
        try receive == nil ? 3 * length().samples * MemoryLayout<Float>.size : 0
    }

    var isGuided: Bool { options.guidanceScale > 1 }

    private var profile: GenerationProfile { options.profile ?? context.model.profile ?? .diffusers }

    private func compute(_ tokens: [PromptEncoder.Tokens], _ timer: inout StageTimer) throws -> [Float] {
        let conditions = try timer.measure(.encoding) {
            try self.conditions(PromptEncoder(context: context).encode(tokens))
        }
        let config = context.model.unetConfig
        let build = { try UNet(config, $0) }
        let latents = try timer.measure(.denoising) {
            try context.with(PartName.unet, build) { try denoise(with: $0, [conditions], seeds: [seed]) }
        }
        return try samples(of: latents, &timer)
    }

    /// Of the negative prompt, if there is guidance, and the prompt; none if their conditions were saved.
    func tokens() throws -> [PromptEncoder.Tokens] {
        if isConditioned { return [] }
        return try PromptEncoder(context: context).tokenize(
            prompt, negative: isGuided ? options.negativePrompt : nil, speech: options.speech, profile: profile)
    }

    /// The options' seed; they have one by the time the work begins.
    var seed: UInt64 { options.seed ?? 0 }

    /// From noise to latents, of sounds that are made alike but for their conditions and seeds.
    /// - Parameters:
    ///   - frames: of latents; nil for the options' length.
    ///   - known: what of them is known.
    ///   - skipped: steps at the start that are left out.
    /// - Returns: `[sounds, frames, bands, channels]`: each is what it would be alone.
    func denoise(
        with unet: UNet, _ conditions: [[Condition]], seeds: [UInt64], frames: Int? = nil, known: KnownLatents? = nil,
        skipped: Int = 0
    ) throws -> Tensor {
        let length = try length()
        let frames = frames ?? length.latentFrames
        let windows = LatentWindows(frames: frames, longest: try windowFrames(), isCircular: options.loops)?
            .first(context.memory.stepLimit)
        let denoise = try Denoiser(unet, conditions: conditions, windows: windows, known: known, context: context)
        var source = NoiseSource(seeds: seeds, on: context.backend)
        let noise = try source.normal([seeds.count, frames, length.latentBands, context.model.unetConfig.inChannels])
        return try denoise(noise, scheduler(skipped: skipped), guidanceScale: options.guidanceScale) {
            try source.normal($0)
        }
    }

    /// The sound, or nothing if it goes to `receive`.
    func samples(of latents: Tensor, _ timer: inout StageTimer) throws -> [Float] {
        var samples: [Float] = []
        try decode(latents, samples: length().samples, &timer) { block in
            if let receive { try receive(block) } else { samples += block }
        }
        return samples
    }

    /// From latents to the sound.
    /// - Parameter take: gets it from its start, block by block.
    func decode(
        _ latents: Tensor, samples: Int, _ timer: inout StageTimer, to take: ([Float]) throws -> Void
    ) throws {
        let decoder = LatentDecoder(context: context)
        let longest = try windowFrames()
        let windows = LatentWindows(frames: latents.shape[1], longest: longest, isCircular: options.loops)
        if let windows, !options.loops {
            return try decoder.waveform(of: latents, windows: windows, samples: samples, &timer, onSamples: take)
        }
        var mel = try timer.measure(.decoding) { try decoder.mel(latents, windows: windows) }
        // A loop is vocoded with some of its end before its start and some of its start behind its end.
        let config = context.model.vocoderConfig
        let margin = options.loops ? config.reach : 0
        if margin > 0 { mel = try mel.extendedAround(by: margin) }
        var skipped = margin * config.hopLength
        try timer.measure(.vocoding) {
            try decoder.waveform(mel, samples: skipped + samples) { block in
                let kept = block.dropFirst(skipped)
                skipped -= block.count - kept.count
                if !kept.isEmpty { try take(Array(kept)) }
            }
        }
    }

    func result(_ samples: [Float], _ plan: ExecutionPlan, _ timer: StageTimer) throws -> GenerationResult {
        GenerationResult(
            clip: AudioClip(samples: samples, sampleRate: context.model.vocoderConfig.samplingRate),
            seed: options.seed ?? 0, record: try record(), memoryPlan: plan.summary,
            activationBytes: plan.record.activationBytes, stageSeconds: timer.seconds)
    }
}

/// Wall time by stage.
struct StageTimer {
    private(set) var seconds: [GenerationProgress.Stage: Double] = [:]
    private let clock = ContinuousClock()

    mutating func add(_ stage: GenerationProgress.Stage, _ seconds: Double) {
        self.seconds[stage, default: 0] += seconds
    }

    /// Adds an equal part of what several sounds took together.
    mutating func add(_ other: StageTimer, sharedBy count: Int) {
        for (stage, seconds) in other.seconds { add(stage, seconds / Double(count)) }
    }

    mutating func measure<Result>(_ stage: GenerationProgress.Stage, _ body: () throws -> Result) rethrows -> Result {
        let start = clock.now
        defer { seconds[stage, default: 0] += (clock.now - start) / .seconds(1) }
        return try body()
    }
}
