/// Frames of latents that an edit works on: what is made anew, and as much around it as a window holds.
struct EditSpan {
    let frames: Range<Int>

    /// Samples, at the model's rate, of a frame of latents.
    static func hop(of model: Model) -> Int { model.vocoderConfig.hopLength * model.vaeConfig.scaleFactor }

    /// - Parameters:
    ///   - seconds: of the sound.
    ///   - window: frames of latents that the UNet sees at once.
    init(_ plan: EditPlan, seconds length: Double, of model: Model, window: Int) {
        let (rate, hop) = (Double(model.vocoderConfig.samplingRate), Double(Self.hop(of: model)))
        let seconds = length + plan.appendedSeconds
        func frame(_ time: Double) -> Double { time * rate / hop }
        // A sound of whole frames has no part of another, whatever its length in seconds was rounded to.
        let total = max(Int((frame(seconds) - 1e-6).rounded(.up)), 1)
        let times = plan.ranges(of: length)
        let first = times.map(\.lowerBound).min() ?? 0
        let last = times.map(\.upperBound).max() ?? seconds
        let lower = min(max(Int(frame(first - plan.crossFadeSeconds)), 0), total - 1)
        let upper = min(max(Int(frame(last + plan.crossFadeSeconds).rounded(.up)), lower + 1), total)
        let context = max((window - (upper - lower)) / 2, window / 4)
        let start = max(min(lower - context, total - window), 0)
        frames = start..<min(max(upper + context, start + window), total)
    }
}
