import Audio
import Diffusion
import Tensors

/// Changes a sound: parts of it are made anew from their surroundings and a prompt, the rest stays as it is.
struct Edit {
    let clip: AudioClip
    let plan: EditPlan
    let generation: Generation

    private var model: Model { generation.context.model }
    private var modelRate: Int { model.vocoderConfig.samplingRate }
    /// Samples, at the model's rate, of a frame of latents.
    private var hop: Int { model.vocoderConfig.hopLength * model.vaeConfig.scaleFactor }

    func run() throws -> GenerationResult {
        try clip.validate()
        try plan.validate(seconds: clip.seconds)
        _ = try (generation.scheduler(), generation.windowFrames(), model.require(.vaeEncoder))
        let mono = Resampler.resample(clip.mono, from: clip.sampleRate, to: modelRate)
        let plan = try resolved(mono)
        let mask = EditMask(plan, seconds: clip.seconds, bands: try model.melConfig().bands)
        let work = EditWork(source: mono, plan: plan, mask: mask, span: try span(of: plan), generation: generation)
        let memory = try work.memoryPlan()
        var timer = StageTimer()
        let samples = try work.following(memory).compute(&timer)
        let start = Double(work.span.lowerBound * hop) / Double(modelRate)
        let result = EditMix(clip: clip, mask: mask, plan: plan).mixed(samples, from: start, sampleRate: modelRate)
        let (options, seed) = (generation.options, generation.options.seed ?? 0)
        return GenerationResult(
            clip: result, seed: seed,
            record: SoundRecord(
                prompt: generation.prompt, options: options, seed: seed, seconds: result.seconds, model: model,
                edit: plan),
            memoryPlan: memory.summary, activationBytes: memory.record.activationBytes, stageSeconds: timer.seconds)
    }

    /// The plan with the band that it leaves to be found out.
    private func resolved(_ mono: [Float]) throws -> EditPlan {
        guard plan.fillsBandwidth, plan.frequencies == nil else { return plan }
        let bandwidth = Bandwidth.estimate(mono, sampleRate: modelRate)
        let limit = 0.95 * Double(modelRate) / 2
        guard bandwidth > 0, bandwidth < limit else {
            throw AudioLDM2Error(
                .invalidOption,
                bandwidth > 0
                    ? "the sound reaches \(Int(bandwidth)) Hz, as far as this model does; name a frequency above which to make it anew"
                    : "the sound is silent: there is nothing to add frequencies to")
        }
        var plan = plan
        plan.frequencies = bandwidth...Double.infinity
        return plan
    }

    /// Frames of latents that are worked on: what is made anew, and as much around it as a window holds.
    private func span(of plan: EditPlan) throws -> Range<Int> {
        let seconds = clip.seconds + plan.appendedSeconds
        func frame(_ time: Double) -> Double { time * Double(modelRate) / Double(hop) }
        let total = max(Int(frame(seconds).rounded(.up)), 1)
        let times = plan.ranges(of: clip.seconds)
        let first = times.map(\.lowerBound).min() ?? 0
        let last = times.map(\.upperBound).max() ?? seconds
        let lower = min(max(Int(frame(first - plan.crossFadeSeconds)), 0), total - 1)
        let upper = min(max(Int(frame(last + plan.crossFadeSeconds).rounded(.up)), lower + 1), total)
        let window = try generation.windowFrames()
        let context = max((window - (upper - lower)) / 2, window / 4)
        let start = max(min(lower - context, total - window), 0)
        return start..<min(max(upper + context, start + window), total)
    }
}
