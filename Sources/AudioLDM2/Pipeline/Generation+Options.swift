import Diffusion

/// What the options mean for a model.
extension Generation {
    /// - Throws: `AudioLDM2Error` of kind `.invalidOption`, `SchedulerError`.
    func check() throws {
        if !isConditioned { try context.model.requireTextEncoders() }
        _ = try (length(), scheduler(), windowFrames())
        try options.checkFinish(for: context.model)
        try checkCondition()
    }

    func length() throws -> ClipLength {
        try ClipLength(
            seconds: options.seconds ?? context.model.defaultSeconds, loops: options.loops, model: context.model)
    }

    /// Frames of latents that the UNet is to see at once.
    func windowFrames() throws -> Int {
        let (model, range) = (context.model, GenerationOptions.windowRange)
        let seconds = options.windowSeconds ?? max(model.defaultSeconds, range.lowerBound)
        guard range.contains(seconds) else {
            throw AudioLDM2Error(
                .invalidOption,
                "a window of \(seconds) seconds: choose \(Int(range.lowerBound))…\(Int(range.upperBound))")
        }
        return try ClipLength(seconds: seconds, model: model).latentFrames
    }

    /// - Parameter skipped: steps at the start that are left out.
    func scheduler(skipped: Int = 0) throws -> any Scheduler {
        guard GenerationOptions.guidanceRange.contains(options.guidanceScale) else {
            throw AudioLDM2Error(.invalidOption, "a guidance scale of \(options.guidanceScale): choose 0 to 100")
        }
        return try makeScheduler(
            options.scheduler.kind, config: context.model.schedulerConfig, steps: options.numInferenceSteps,
            skipped: skipped, eta: options.eta)
    }

    func record() throws -> SoundRecord {
        try SoundRecord(
            prompt: prompt, options: options, seed: options.seed ?? 0,
            seconds: Double(length().samples) / Double(context.model.vocoderConfig.samplingRate), model: context.model)
    }
}

extension GenerationOptions.Scheduler {
    var kind: SchedulerKind {
        switch self {
        case .ddim: .ddim
        case .dpmpp: .dpmpp
        case .dpmppSinglestep: .dpmppSinglestep
        case .unipc: .unipc
        case .euler: .euler
        case .pndm: .pndm
        }
    }
}
