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
    var profile: ReferenceProfile?

    @Option(
        parsing: .unconditional,
        help: """
            Steps of the denoiser: more are better, up to a point, and take longer. Default: \
            \(SoundOptions.Quality.fast.numInferenceSteps); \(SoundOptions.Quality.exact.numInferenceSteps) where quality is exact, \
            \(SoundOptions.Quality.faster.numInferenceSteps) where it is faster; or the profile's 200.
            """
    )
    var steps: Int?

    @Option(
        parsing: .unconditional,
        help: """
            How strongly the prompt is followed; 1 or less switches guidance off and halves the work. Default: \
            \(SoundOptions().guidanceScale).
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
        help: ArgumentHelp(
            """
            Noise levels with guidance, as σ, such as 0.3-5.4; at others the prompt's prediction alone is followed, at half \
            the work. Another sound. With dpm++, ddim and euler. Default: all.
            """, valueName: "LOW-HIGH"), transform: noiseLevels)
    var guidanceInterval: ClosedRange<Float>?

    @Option(
        help: """
            What makes the waveform: hifigan, the model's network, or griffin-lim, a search for phases that is exact in \
            pitch, of magnitudes that a network says if the model has one. Default: the model's choice, or hifigan.
            """)
    var vocoder: SoundOptions.Vocoder?

    @Option(
        help: """
            ddim, dpm++, dpm++-singlestep, unipc, euler or pndm. Default: unipc; dpm++ for --quality exact and with \
            --guidance-interval; the profile's ddim.
            """)
    var scheduler: SoundOptions.Scheduler?

    @Option(
        help: """
            exact: the noise levels of the reference; fast: fewer, where they matter; faster: at some of them only a part of \
            the denoiser works. Default: fast, or exact with a profile, and with schedulers other than dpm++ and unipc.
            """)
    var quality: SoundOptions.Quality?

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

    func validate() throws { try settings.validate() }

    /// What was asked for.
    var settings: SoundSettings {
        var settings = SoundSettings()
        settings.negativePrompt = negativePrompt
        settings.profile = profile
        settings.numInferenceSteps = steps
        settings.guidanceScale = guidanceScale
        settings.guidanceRescale = guidanceRescale
        settings.guidanceInterval = guidanceInterval
        settings.vocoder = vocoder
        settings.scheduler = scheduler
        settings.quality = quality
        settings.eta = eta
        settings.windowSeconds = window
        return settings
    }
}

/// "0.3-5.4" as a range.
/// - Throws: `ValidationError`.
@Sendable private func noiseLevels(_ text: String) throws -> ClosedRange<Float> {
    let bounds = text.split(separator: "-", omittingEmptySubsequences: false).map { Float($0) }
    guard bounds.count == 2, let low = bounds[0], let high = bounds[1], low <= high else {
        throw ValidationError("'\(text)': give the lowest and the highest noise level, such as 0.3-5.4.")
    }
    return low...high
}

/// Fields by the names of their flags.
extension SoundSettings {
    private static func flag(_ field: Field) -> String { "--" + field.rawValue.replacing("_", with: "-") }

    /// - Throws: `ValidationError`.
    func validate() throws {
        if let problem = problem(naming: Self.flag) { throw ValidationError(problem + ".") }
    }

    /// - Throws: `ValidationError`, also for what only does not go together with the profile.
    func flagOptions(for pipeline: AudioLDM2Pipeline) throws -> SoundOptions {
        do {
            return try options(profile: pipeline.profile, naming: Self.flag)
        } catch let error as AudioLDM2Error where error.kind == .invalidOption {
            throw ValidationError("\(error).")
        }
    }
}

extension SoundOptions.Scheduler: ExpressibleByArgument {}
extension SoundOptions.Quality: ExpressibleByArgument {}
extension SoundOptions.Vocoder: ExpressibleByArgument {}
extension ReferenceProfile: ExpressibleByArgument {}
