import Audio
import Glibc
import Tensors

/// A sound that is changed: parts of it are made anew from their surroundings and a prompt, the rest stays as it is.
struct Edit {
    /// With the band that was left to be found out.
    let plan: EditPlan
    /// Frames of latents that are worked on.
    let span: Range<Int>
    private let model: Model
    private let windowFrames: Int
    /// Mono, at the model's rate.
    private let source: [Float]
    private let mask: EditMask
    private let mix: EditMix

    /// - Throws: `AudioLDM2Error` for a sound or plan that cannot be used, and for a model without the VAE's encoder.
    init(_ clip: AudioClip, _ asked: EditPlan, for request: ResolvedRequest, in context: GenerationContext) throws {
        try clip.validate()
        try asked.validate(seconds: clip.seconds)
        model = context.model
        try model.require(.vaeEncoder)
        windowFrames = request.windowFrames
        if let note = clip.monoMix.note { context.warn("the sound: " + note) }
        let modelRate = model.vocoderConfig.samplingRate
        source = Resampler.resample(clip.mono, from: clip.sampleRate, to: modelRate)
        plan = try Self.resolved(asked, source, modelRate: modelRate)
        mask = EditMask(plan, seconds: clip.seconds, bands: try model.melConfig().bands)
        mix = EditMix(clip: clip, mask: mask, plan: plan, modelRate: modelRate)
        span = EditSpan(plan, seconds: clip.seconds, of: model, window: windowFrames).frames
    }

    /// Samples, at the model's rate, of a frame of latents.
    private var hop: Int { EditSpan.hop(of: model) }

    /// Samples, at the model's rate, that are made.
    var sampleCount: Int { span.count * hop }

    /// Of the first part that is made anew, in seconds.
    var start: Double { plan.ranges(of: mix.clip.seconds)[0].lowerBound }

    /// The samples before the first that changes, interleaved: what of the result is known beforehand.
    var untouched: ArraySlice<Float> { mix.untouched }

    /// Steps of the denoiser that are left out, as the sound is not made of noise alone.
    func skipped(of steps: Int) -> Int { steps - min(max(Int(Double(steps) * plan.strength), 1), steps) }

    /// What sounds take before, within and after the work.
    func soundBytes(results: Int, of request: ResolvedRequest) throws -> Int {
        try 3 * (source.count + sampleCount) * MemoryLayout<Float>.size + mix.bytes(results: results)
            + request.searchBytes()
    }

    /// The changed sound.
    /// - Parameter samples: those of the span that were made.
    func mixed(_ samples: [Float]) -> AudioClip {
        mix.mixed(samples, from: Double(span.lowerBound * hop) / Double(mix.modelRate))
    }

    /// The sound's own latents, and where they stay.
    func known(in context: GenerationContext) throws -> KnownLatents {
        // What is to come has no latents: only whole frames are encoded.
        let end = plan.appendedSeconds > 0 ? min(source.count / hop, span.upperBound) : span.upperBound
        let bands = model.vocoderConfig.modelInDim / model.vaeConfig.scaleFactor
        let channels = model.unetConfig.inChannels
        var values: [Float] = []
        if end > span.lowerBound {
            let samples = Array(source[min(span.lowerBound * hop, source.count)..<min(end * hop, source.count)])
            values = try LatentEncoder(context: context).latents(
                of: samples, frames: end - span.lowerBound, tile: windowFrames
            ).values()
        }
        values += [Float](repeating: 0, count: (span.upperBound - max(end, span.lowerBound)) * bands * channels)
        return KnownLatents(
            latents: try context.backend.upload(values, [1, span.count, bands, channels]),
            kept: kept(bands: bands, end: end), startsFromNoise: plan.strength == 1)
    }

    /// 1 where latents stay, 0 where they are made anew, `[frames, bands]`.
    /// - Parameter end: frame from which on there are none.
    private func kept(bands: Int, end: Int) -> [Float] {
        let second = Double(model.vocoderConfig.samplingRate)
        return span.flatMap { frame in
            let time = Double(frame * hop) / second
            let isTouched = frame >= end || mask.touches(time...(time + Double(hop) / second))
            return (0..<bands).map { band -> Float in
                isTouched && mask.touches(band: band, scale: model.vaeConfig.scaleFactor) ? 0 : 1
            }
        }
    }

    /// A plan with the band that it leaves to be found out.
    /// - Throws: `AudioLDM2Error` for a band that the model cannot make.
    private static func resolved(_ plan: EditPlan, _ mono: [Float], modelRate: Int) throws -> EditPlan {
        if let lowest = plan.frequencies?.lowerBound, lowest >= Double(modelRate) / 2 {
            throw AudioLDM2Error(
                .invalidOption,
                "from \(String(printf: "%g", lowest)) Hz: this model makes nothing above \(modelRate / 2) Hz; choose a lower frequency"
            )
        }
        guard plan.fillsBandwidth, plan.frequencies == nil else { return plan }
        let bandwidth = Bandwidth.estimate(mono, sampleRate: modelRate)
        let limit = 0.95 * Double(modelRate) / 2
        guard bandwidth > 0, bandwidth < limit else {
            throw AudioLDM2Error(
                .invalidOption,
                bandwidth > 0
                    ? "the sound reaches \(Int(bandwidth)) Hz, as far as this model does; name a lower frequency from which on to make it anew"
                    : "the sound is silent: there is nothing to add frequencies to")
        }
        var plan = plan
        plan.frequencies = bandwidth...Double.infinity
        return plan
    }
}
