import Audio
import Diffusion
import Foundation
import Tensors

/// Changes a sound: parts of it are made anew from their surroundings and a prompt, the rest stays as it is.
struct Edit {
    let clip: AudioClip
    let plan: EditPlan
    let generation: Generation

    /// - Parameter options: their length does not count.
    init(_ clip: AudioClip, _ plan: EditPlan, _ prompt: String, _ options: GenerationOptions, in context: StageContext)
    {
        var options = options
        options.seed = options.seed ?? UInt64.random(in: 0...UInt64(UInt32.max))
        (options.seconds, options.loops) = (nil, false)
        (self.clip, self.plan) = (clip, plan)
        generation = Generation(prompt: prompt, options: options, context: context)
    }

    private var model: Model { generation.context.model }
    private var modelRate: Int { model.vocoderConfig.samplingRate }
    /// Samples, at the model's rate, of a frame of latents.
    private var hop: Int { EditSpan.hop(of: model) }

    func run() throws -> GenerationResult {
        guard let result = try make([generation.seed]).results.first else { throw CancellationError() }
        return result
    }

    /// Makes the new parts several times, of the seed and the numbers after it, and keeps the best.
    /// - Parameter start: hears the number of each candidate that is begun.
    func run(by ranking: Ranking, start: (Int) -> Void) throws -> [RankedSound] {
        let seeds = (0..<ranking.count).map { generation.seed &+ UInt64($0) }
        let made = try make(seeds, ranking: ranking, start: start)
        return try ranking.best(of: made.results, from: plan.ranges(of: clip.seconds)[0].lowerBound, in: made.context)
    }

    /// - Returns: also the context, in which memory is used as planned.
    private func make(
        _ seeds: [UInt64], ranking: Ranking? = nil, start: (Int) -> Void = { _ in }
    ) throws -> (results: [GenerationResult], context: StageContext) {
        try clip.validate()
        try plan.validate(seconds: clip.seconds)
        if !generation.isConditioned { try model.requireTextEncoders() }
        try generation.checkCondition()
        _ = try (generation.scheduler(), generation.windowFrames(), model.require(.vaeEncoder))
        if let note = clip.monoMix.note { generation.context.report(.warning("the sound: " + note)) }
        let mono = Resampler.resample(clip.mono, from: clip.sampleRate, to: modelRate)
        let plan = try resolved(mono)
        let mask = EditMask(plan, seconds: clip.seconds, bands: try model.melConfig().bands)
        let mix = EditMix(clip: clip, mask: mask, plan: plan, modelRate: modelRate)
        var work = EditWork(
            source: mono, plan: plan, mask: mask,
            span: try EditSpan(plan, seconds: clip.seconds, in: generation).frames, seeds: seeds, generation: generation
        )
        let memory = try work.memoryPlan(mixBytes: mix.bytes(results: seeds.count), ranking: ranking)
        generation.context.report(.plan(memory.summary))
        work.generation.context = generation.context.following(memory)
        let spanStart = Double(work.span.lowerBound * hop) / Double(modelRate)
        var results: [GenerationResult] = []
        try work.compute(start: start) { samples, timer in
            let clip = mix.mixed(samples, from: spanStart)
            let seed = seeds[results.count]
            results.append(
                GenerationResult(
                    clip: clip, seed: seed,
                    record: SoundRecord(
                        prompt: generation.prompt, options: generation.options, seed: seed, seconds: clip.seconds,
                        model: model, edit: plan),
                    memoryPlan: memory.summary, activationBytes: memory.record.activationBytes,
                    stageSeconds: timer.seconds))
        }
        return (results, work.generation.context)
    }

    /// The plan with the band that it leaves to be found out.
    /// - Throws: `AudioLDM2Error` for a band that the model cannot make.
    private func resolved(_ mono: [Float]) throws -> EditPlan {
        if let lowest = plan.frequencies?.lowerBound, lowest >= Double(modelRate) / 2 {
            throw AudioLDM2Error(
                .invalidOption,
                "from \(String(format: "%.0f", lowest)) Hz: this model makes nothing above \(modelRate / 2) Hz; choose a lower frequency"
            )
        }
        guard plan.fillsBandwidth, plan.frequencies == nil else { return plan }
        let bandwidth = Bandwidth.estimate(mono, sampleRate: modelRate)
        let limit = 0.95 * Double(modelRate) / 2
        guard bandwidth > 0, bandwidth < limit else {
            throw AudioLDM2Error(
                .invalidOption,
                bandwidth > 0
                    ? "the sound reaches \(Int(bandwidth)) Hz, as far as this model does; name a lower frequency (--above) from which on to make it anew"
                    : "the sound is silent: there is nothing to add frequencies to")
        }
        var plan = plan
        plan.frequencies = bandwidth...Double.infinity
        return plan
    }
}
