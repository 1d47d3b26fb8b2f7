import ArgumentParser
import AudioLDM2
import Terminal

/// How a sound is made from a prompt, the same for every command that makes one.
struct GenerationFlags: ParsableArguments {
    @Option(parsing: .unconditional, help: "What the sound should not be.", transform: plainText)
    var negativePrompt = ""

    @Option(
        help: """
            Behave as a reference implementation does, diffusers or authors: what guidance leads away from, and 200 steps \
            of DDIM unless told otherwise. Default: what the model was converted for.
            """)
    var profile: GenerationProfile?

    @Option(
        parsing: .unconditional,
        help:
            "Steps of the denoiser: more are better, up to a point, and take longer. Default: 25, or the profile's 200."
    )
    var steps: Int?

    @Option(
        parsing: .unconditional,
        help: """
            How strongly the prompt is followed; 1 or less switches guidance off and halves the work. Default: 3.5.
            """)
    var guidanceScale: Float?

    @Option(
        parsing: .unconditional,
        help: """
            Share, 0 to 1, in which guidance keeps the deviation of what it guides: against sounds that are too loud. \
            Default: the model's, or 0.
            """)
    var guidanceRescale: Float?

    @Option(
        help: """
            What makes the waveform: hifigan, the model's network, or griffin-lim, a search for phases that is exact in \
            pitch. Default: the model's choice, or hifigan.
            """)
    var vocoder: GenerationOptions.Vocoder?

    @Option(help: "ddim, dpm++, dpm++-singlestep, unipc, euler or pndm. Default: dpm++, or the profile's ddim.")
    var scheduler: GenerationOptions.Scheduler?

    @Option(
        parsing: .unconditional,
        help: "Share of fresh noise at every step, 0 to 1; only with ddim. Default: 0, or the profile's.")
    var eta: Float?

    @Option(
        parsing: .unconditional,
        help:
            "Denoise longer sounds in overlapping windows of this many seconds. Default: what the model was trained on."
    )
    var window: Double?

    func validate() throws {
        if let window, !GenerationOptions.windowRange.contains(window) {
            throw ValidationError("--window \(window): choose 1 to 600.")
        }
        if let steps, !(1...1000).contains(steps) { throw ValidationError("--steps \(steps): choose 1 to 1000.") }
        if let guidanceScale, !GenerationOptions.guidanceRange.contains(guidanceScale) {
            throw ValidationError("--guidance-scale \(guidanceScale): choose 0 to 100.")
        }
        if let eta, !(0...1).contains(eta) { throw ValidationError("--eta \(eta): choose 0 to 1.") }
        if let guidanceRescale, !(0...1).contains(guidanceRescale) {
            throw ValidationError("--guidance-rescale \(guidanceRescale): choose 0 to 1.")
        }
        if let scheduler { try check(eta: eta ?? 0, with: scheduler) }
    }

    /// What was asked for, over the defaults of the profile that was named or that the model was converted for.
    /// - Throws: `ValidationError` for what does not go together.
    func options(for pipeline: AudioLDM2Pipeline) throws -> GenerationOptions {
        var options = GenerationOptions.defaults(of: profile ?? pipeline.profile)
        if let scheduler { options.use(scheduler) }
        options.numInferenceSteps = steps ?? options.numInferenceSteps
        options.guidanceScale = guidanceScale ?? options.guidanceScale
        options.guidanceRescale = guidanceRescale ?? options.guidanceRescale
        options.vocoder = vocoder ?? options.vocoder
        options.eta = eta ?? options.eta
        try check(eta: options.eta, with: options.scheduler)
        (options.negativePrompt, options.windowSeconds) = (negativePrompt, window)
        return options
    }

    private func check(eta: Float, with scheduler: GenerationOptions.Scheduler) throws {
        guard eta == 0 || scheduler == .ddim else { throw ValidationError("--eta needs --scheduler ddim.") }
    }
}

extension GenerationOptions.Scheduler: ExpressibleByArgument {}
extension GenerationOptions.Vocoder: ExpressibleByArgument {}
extension GenerationProfile: ExpressibleByArgument {}
