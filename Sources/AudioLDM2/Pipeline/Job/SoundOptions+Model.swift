import Diffusion
import Glibc

/// What options mean for a model.
extension SoundOptions {
    var isGuided: Bool { guidanceScale > 1 }

    /// Whether all that conditions the denoiser was computed beforehand.
    var isConditioned: Bool { condition.map { !$0.isLanguageOfAudioAlone } ?? false }

    func profile(for model: Model) -> ReferenceProfile { profile ?? model.profile ?? .diffusers }

    func vocoder(for model: Model) -> Vocoder { vocoder ?? model.defaults.vocoder ?? .hifigan }

    func guidanceRescale(for model: Model) -> Float { guidanceRescale ?? model.defaults.guidanceRescale ?? 0 }

    func fadeSeconds(for model: Model) -> Double { fadeSeconds ?? model.defaults.fadeSeconds ?? 0 }

    func silenceRetries(for model: Model) -> Int { silenceRetries ?? model.defaults.silenceRetries ?? 0 }

    /// - Throws: `AudioLDM2Error` of kind `.invalidOption`.
    func length(for model: Model) throws -> ClipLength {
        try ClipLength(seconds: seconds ?? model.defaultSeconds, loops: loops, model: model)
    }

    /// Frames of latents that the UNet is to see at once.
    /// - Throws: `AudioLDM2Error` of kind `.invalidOption`.
    func windowFrames(for model: Model) throws -> Int {
        let range = Self.windowRange
        let seconds = windowSeconds ?? max(model.defaultSeconds, range.lowerBound)
        guard range.contains(seconds) else {
            throw AudioLDM2Error(
                .invalidOption,
                "a window of \(seconds) seconds: choose \(Int(range.lowerBound))…\(Int(range.upperBound))")
        }
        return try ClipLength(seconds: seconds, model: model).latentFrames
    }

    /// What is spared with the scheduler and the model's schedule, if they let anything be spared.
    func quality(for model: Model) -> Quality {
        // What cannot be read is refused where the scheduler is made.
        (try? model.schedulerConfig.takesAnyLevels((scheduler ?? .unipc).kind)) ?? false ? quality : .exact
    }

    /// What makes the next sample. UniPC cannot begin anew where guidance begins or ends.
    func solver(for model: Model) -> Scheduler {
        scheduler ?? (quality(for: model) == .exact || guidanceInterval != nil ? .dpmpp : .unipc)
    }

    /// Steps of the denoiser.
    func steps(for model: Model) -> Int {
        numInferenceSteps ?? policy(for: model)?.steps.count ?? quality(for: model).numInferenceSteps
    }

    /// Which steps are evaluated whole; nil for all.
    func policy(for model: Model) -> StepPolicy? {
        switch quality(for: model) {
        case .exact: nil
        // Whoever says a number of steps wants as many evaluations.
        case .fast: numInferenceSteps == nil ? .fast : nil
        case .faster: model.defaults.fasterSteps.flatMap { StepPolicy($0) } ?? .faster
        }
    }

    private func noiseLevels(for model: Model) -> NoiseLevels {
        quality(for: model) == .exact ? .configured : .settled
    }

    /// - Parameter skipped: steps at the start that are left out.
    /// - Throws: `AudioLDM2Error` of kind `.invalidOption`, `SchedulerError`.
    func scheduler(for model: Model, skipped: Int = 0) throws -> any Diffusion.Scheduler {
        guard Self.guidanceRange.contains(guidanceScale) else {
            throw AudioLDM2Error(.invalidOption, "a guidance scale of \(guidanceScale): choose 0 to 100")
        }
        func make(anew: Set<Int> = []) throws -> any Diffusion.Scheduler {
            try makeScheduler(
                solver(for: model).kind, config: model.schedulerConfig, steps: steps(for: model), skipped: skipped,
                eta: eta,
                levels: noiseLevels(for: model), anew: anew)
        }
        let whole = try make()
        guard let guided = guidedSteps(of: whole.timesteps, for: model) else { return whole }
        // Predictions with guidance and without it are not to be mixed.
        return try make(anew: Set(guided.indices.dropFirst().filter { guided[$0] != guided[$0 - 1] }))
    }

    /// Whether there is guidance at some time steps; nil if there is at all, or at none.
    func guidedSteps(of timesteps: [Float], for model: Model) -> [Bool]? {
        guard isGuided, let guidanceInterval else { return nil }
        return model.schedulerConfig.logRatios(at: timesteps).map { guidanceInterval.contains(exp(-$0)) }
    }

    package func guidance(for model: Model) -> Guidance {
        Guidance(scale: guidanceScale, rescale: guidanceRescale(for: model))
    }

    /// - Throws: `AudioLDM2Error` of kind `.invalidOption`; for Griffin-Lim also if the model does not describe its mel
    ///   spectrogram.
    func checkFinish(for model: Model) throws {
        func require<Value: Comparable>(_ name: String, _ value: Value, in range: ClosedRange<Value>) throws {
            guard range.contains(value) else {
                throw AudioLDM2Error(
                    .invalidOption, "\(name) of \(value): choose \(range.lowerBound) to \(range.upperBound)")
            }
        }
        try require("a guidance rescale", guidanceRescale(for: model), in: 0...1)
        try require("a fade", fadeSeconds(for: model), in: Self.fadeRange)
        try require("a number of retries", silenceRetries(for: model), in: Self.retriesRange)
        if let fadeInSeconds { try require("a fade", fadeInSeconds, in: Self.fadeRange) }
        if let fadeOutSeconds { try require("a fade", fadeOutSeconds, in: Self.fadeRange) }
        if let sampleRate { try require("a sample rate", sampleRate, in: Self.sampleRateRange) }
        guard normalization?.isUsable ?? true else {
            throw AudioLDM2Error(
                .invalidOption,
                "a level of \(normalization?.rawValue ?? ""): choose peak:-60 to peak:0 or lufs:-60 to lufs:0")
        }
        if vocoder(for: model) == .griffinLim { _ = try model.griffinLim() }
    }
}

extension SoundOptions.Quality {
    /// Steps where neither a number nor the model's policy is said.
    package var numInferenceSteps: Int {
        switch self {
        case .exact: 25
        case .fast: StepPolicy.fast.steps.count
        case .faster: StepPolicy.faster.steps.count
        }
    }
}

extension SoundOptions.Scheduler {
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

extension Numeric {
    /// Nil for zero.
    var nonzero: Self? { self == 0 ? nil : self }
}
