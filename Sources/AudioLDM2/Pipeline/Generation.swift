import Audio
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
    /// Whether a silent sound is what is wanted, or at least the last that is tried.
    var mayBeSilent = false

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
        let samples = try planned.untilHeard { try $0.compute(tokens, &timer) }
        return try planned.result(samples, plan, timer)
    }

    /// Makes a sound, with the next seed as long as it comes out silent and the options allow it. What leaves while it is
    /// made has told its seed before.
    mutating func untilHeard(_ make: (Generation) throws -> [Float]) throws -> [Float] {
        for _ in 0..<(receive == nil ? options.silenceRetries(for: context.model) : 0) {
            do {
                return try make(self)
            } catch is SilentSound {
                let next = seed &+ 1
                context.report(.warning("seed \(seed) makes nothing but silence of this prompt; trying seed \(next)"))
                options.seed = next
            }
        }
        mayBeSilent = true
        return try make(self)
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

    /// The finished sound is copied twice, unless it goes while it is made; what a search for phases takes.
    func soundBytes() throws -> Int {
        let samples = try length().samples
        let copies = try receive == nil ? 3 : holdsAll(frames: length().latentFrames) ? 2 : 0
        return copies * samples * MemoryLayout<Float>.size + (try vocodingBytes())
    }

    private func vocodingBytes() throws -> Int {
        guard options.vocoder(for: context.model) == .griffinLim else { return 0 }
        return try GriffinLim(context.model.melConfig().geometry).byteCount
    }

    var isGuided: Bool { options.guidanceScale > 1 }

    private var profile: GenerationProfile { options.profile ?? context.model.profile ?? .diffusers }

    func compute(_ tokens: [PromptEncoder.Tokens], _ timer: inout StageTimer) throws -> [Float] {
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
        let guidance = Guidance(
            scale: options.guidanceScale, rescale: options.guidanceRescale(for: context.model))
        return try denoise(noise, scheduler(skipped: skipped), guidance) { try source.normal($0) }
    }

    /// The sound, or nothing if it goes to `receive`.
    /// - Throws: `SilentSound` where another seed should be tried.
    func samples(of latents: Tensor, _ timer: inout StageTimer) throws -> [Float] {
        let (model, count) = (context.model, try length().samples)
        let holdsAll = try holdsAll(frames: latents.shape[1])
        let fade = options.loops ? 0 : options.fadeSeconds(for: model) * Double(model.vocoderConfig.samplingRate)
        var finish = SoundFinish(
            total: count, holdsAll: holdsAll,
            ceiling: options.vocoder(for: model) == .griffinLim ? SoundFinish.ceiling : nil, fade: Int(fade))
        var samples: [Float] = []
        func emit(_ block: [Float]) throws {
            if let receive { try receive(block) } else { samples += block }
        }
        try decode(latents, samples: count, &timer) { try finish.take($0, emit: emit) }
        if holdsAll, finish.isSilent, !mayBeSilent, !context.memory.isPlanning { throw SilentSound() }
        try finish.end(emit: emit)
        return samples
    }

    /// Whether a sound leaves when all of it is known: one that is decoded at once anyway, and is to be looked at.
    private func holdsAll(frames: Int) throws -> Bool {
        let model = context.model
        guard try options.loops || frames <= windowFrames() else { return false }
        return options.vocoder(for: model) == .griffinLim || options.silenceRetries(for: model) > 0
    }

    /// From latents to the sound.
    /// - Parameter take: gets it from its start, block by block.
    func decode(
        _ latents: Tensor, samples: Int, _ timer: inout StageTimer, to take: ([Float]) throws -> Void
    ) throws {
        let decoder = LatentDecoder(context: context, vocoder: options.vocoder(for: context.model), seed: seed)
        let longest = try windowFrames()
        let windows = LatentWindows(frames: latents.shape[1], longest: longest, isCircular: options.loops)
        if let windows, !options.loops {
            return try decoder.waveform(of: latents, windows: windows, samples: samples, &timer, onSamples: take)
        }
        let mel = try timer.measure(.decoding) { try decoder.mel(latents, windows: windows) }
        try timer.measure(.vocoding) {
            try decoder.waveform(mel, loops: options.loops, samples: samples, onSamples: take)
        }
    }

    func result(_ samples: [Float], _ plan: ExecutionPlan, _ timer: StageTimer) throws -> GenerationResult {
        GenerationResult(
            clip: AudioClip(samples: samples, sampleRate: context.model.vocoderConfig.samplingRate),
            seed: options.seed ?? 0, record: try record(), memoryPlan: plan.summary,
            activationBytes: plan.record.activationBytes, stageSeconds: timer.seconds)
    }
}

/// A sound of which nothing is heard, where that is not wanted.
struct SilentSound: Error {}

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
