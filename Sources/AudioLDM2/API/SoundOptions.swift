/// How a sound is made from a prompt. What diffusers' `AudioLDM2Pipeline` has too is called as there.
public struct SoundOptions: Sendable, Hashable {
    /// The rule that turns predicted noise into the next, cleaner sample.
    #if hasAttribute(nonexhaustive)
        @nonexhaustive
    #endif
    public enum Scheduler: String, CaseIterable, Sendable, Codable {
        /// DDIM (Song et al. 2020), the reference's own; the only one with `eta`.
        case ddim
        /// DPM-Solver++(2M): good results in 10–25 steps.
        case dpmpp = "dpm++"
        /// DPM-Solver++(2S).
        case dpmppSinglestep = "dpm++-singlestep"
        /// UniPC (Zhao et al. 2023).
        case unipc
        /// Euler's method, as in Karras et al. 2022.
        case euler
        /// PNDM (Liu et al. 2022).
        case pndm
    }

    /// How much of the denoiser's work may be spared.
    #if hasAttribute(nonexhaustive)
        @nonexhaustive
    #endif
    public enum Quality: String, CaseIterable, Sendable, Codable {
        /// The reference's noise levels, each evaluated whole: 25 of them with DPM-Solver++.
        case exact
        /// Noise levels where they matter, 11 of them, which come twice as near to what endless steps would make as 25 of the
        /// reference's. At the second and the last, where little is lost by that, the denoiser's deep levels are not evaluated but
        /// carried on from the steps before; a number of steps that you say is evaluated whole.
        case fast
        /// Fewer such levels, as the model's policy says; if it says nothing 8, all whole but the last. About as near as 25 of the
        /// reference's, with the model that ships.
        case faster
    }

    /// What a speech model is to say.
    #if hasAttribute(nonexhaustive)
        @nonexhaustive
    #endif
    public enum Speech: Sendable, Hashable {
        /// English text. Turning it into phonemes needs the library espeak-ng.
        case text(String)
        /// Phonemes in the International Phonetic Alphabet, as espeak-ng writes them: "wɪʃ juː hɐv ɐ ɡʊd dˈeɪ".
        case phonemes(String)
    }

    /// What makes a waveform of a mel spectrogram.
    #if hasAttribute(nonexhaustive)
        @nonexhaustive
    #endif
    public enum Vocoder: String, CaseIterable, Sendable, Codable {
        /// The model's trained one.
        case hifigan
        /// A search for phases that fit the spectrogram (Griffin & Lim 1984): exact in pitch, and faster than HiFi-GAN. What
        /// the spectrogram's bands leave open, a small network says if the model has one. Sounds that would go beyond full scale
        /// are made quieter.
        case griffinLim = "griffin-lim"
    }

    /// Lengths that can be made, in seconds.
    public static let secondsRange = 0.1...3600.0

    /// Numbers of steps of the denoiser.
    public static let stepsRange = 1...1000

    /// Lengths of windows, in seconds.
    public static let windowRange = 1.0...600.0

    /// Scales of guidance: beyond them nothing is left of a sound.
    public static let guidanceRange: ClosedRange<Float> = 0...100

    /// Noise levels: far beyond those that models are trained with.
    public static let noiseRange: ClosedRange<Float> = 0...1_000_000

    /// Lengths of fades, in seconds.
    public static let fadeRange = 0.0...10.0

    /// Sample rates that sounds can be brought to, in Hz.
    public static let sampleRateRange = 4000...192_000

    /// Numbers of further attempts at a silent sound.
    public static let retriesRange = 0...16

    /// What the sound should not be.
    public var negativePrompt: String
    /// What to say, for speech models and no others; the prompt says who speaks and how.
    public var speech: Speech?
    /// Length of the result in seconds; nil for the length that the model was trained on.
    public var seconds: Double?
    /// Evaluations of the denoiser. More are better, up to a point, and take proportionally longer. Nil for what goes with
    /// quality and scheduler.
    public var numInferenceSteps: Int?
    /// How strongly the prompt is followed; 1 or less switches guidance off, which halves the work.
    public var guidanceScale: Float
    /// Share, 0…1, in which guidance keeps the deviation that the prediction has without it: guidance at high scales makes
    /// sounds too loud (Lin et al. 2023, arXiv 2305.08891, section 3.4). Nil for the model's, which is 0 unless it says so.
    public var guidanceRescale: Float?
    /// Noise levels at which the prompt is followed that strongly, as σ, the noise's deviation beside a sample's of 1; at others
    /// the prediction is the prompt's alone, which halves their work (Kynkäänniemi et al. 2024, arXiv 2404.07724). Another
    /// sound, not a nearer one. Only with `dpmpp`, `ddim` and `euler`. Nil for all levels.
    public var guidanceInterval: ClosedRange<Float>?
    /// Nil for the model's, which is its HiFi-GAN unless it says so.
    public var vocoder: Vocoder?
    /// Length of the fade at a sound's end, which hides that it was cut off; a fifth of it fades its start in. Not of loops.
    /// Nil for the model's, which is 0 unless it says so.
    public var fadeSeconds: Double?
    /// Length of the fade at a sound's start, in seconds; nil for a fifth of `fadeSeconds`. Not of loops, nor of edits.
    public var fadeInSeconds: Double?
    /// Length of the fade at a sound's end, in seconds; nil for `fadeSeconds`. Not of loops, nor of edits.
    public var fadeOutSeconds: Double?
    /// Whether silence at a sound's ends, below −60 dB of its peak, is cut but for a hundredth of a second. The sound is held
    /// until all of it is there. Not of loops, nor of edits.
    public var trimsSilence: Bool
    /// The level that the sound is brought to, once all of it is there; nil for what comes out. Not of edits.
    public var normalization: Normalization?
    /// Of the sound, in Hz, to which it is brought by bandlimited interpolation; nil for the model's. Not of edits.
    public var sampleRate: Int?
    /// How samples are stored in a file that holds numbers (`AudioClip.write(to:encoding:record:)` follows the sound's record);
    /// nil for integers of 16 bits.
    public var encoding: SoundFormat.Encoding?
    /// Attempts with the next seed when a sound comes out silent, below −60 dB of full scale; not of edits, candidates,
    /// and what is streamed. Nil for the model's, which are none unless it says so.
    public var silenceRetries: Int?
    /// The rule that makes the next sample of a predicted noise. Nil for what goes with the quality: `dpmpp` for `exact` and with a
    /// `guidanceInterval`, `unipc` for others, which comes nearer to what endless steps make in few.
    public var scheduler: Scheduler?
    /// How much of the denoiser's work may be spared. Only `dpmpp` and `unipc` can visit other noise levels than the
    /// reference's, and not where the model's config spaces levels itself; others are always `exact`.
    public var quality: Quality
    /// Share of fresh noise at every step, 0…1; only with `ddim`.
    public var eta: Float
    /// The same seed, prompt and options give the same sound, on any number of threads, and the same initial noise as
    /// PyTorch's CPU generator with that seed. Nil for a random one.
    public var seed: UInt64?
    /// Sounds that are longer than this many seconds are denoised in overlapping windows of it, in memory that does not
    /// grow with their length; nil for the length that the model was trained on.
    public var windowSeconds: Double?
    /// Whether the sound's end leads back to its start, so that it can be repeated without a click. Its length is then a
    /// whole number of the latents' frames.
    public var loops: Bool

    /// What was made of a prompt or of a sound beforehand: in the first case there is no need of a prompt or encoders, in
    /// the second the sound's language of audio takes the place of the prompt's or is mixed with it.
    public var condition: SoundCondition?
    /// The share of a sound's language of audio, 0…1; the rest is the prompt's.
    public var audioWeight: Float

    /// Sets what guidance leads away from; nil for what the model was converted for, or diffusers'.
    public var profile: ReferenceProfile?

    /// How much memory the work may take, in bytes: see `MemoryPlan`. Nil for what makes it fastest.
    public var memoryLimit: Int?

    /// Options, each as said at its property; without any, 11 steps of UniPC, of which 9 are evaluated whole, at guidance 3.5.
    public init(
        negativePrompt: String = "", speech: Speech? = nil, seconds: Double? = nil, numInferenceSteps: Int? = nil,
        guidanceScale: Float = 3.5, scheduler: Scheduler? = nil, eta: Float = 0, seed: UInt64? = nil,
        memoryLimit: Int? = nil, windowSeconds: Double? = nil, loops: Bool = false, condition: SoundCondition? = nil,
        audioWeight: Float = 1, profile: ReferenceProfile? = nil, guidanceRescale: Float? = nil,
        vocoder: Vocoder? = nil, fadeSeconds: Double? = nil, silenceRetries: Int? = nil, quality: Quality = .fast,
        guidanceInterval: ClosedRange<Float>? = nil,
        fadeInSeconds: Double? = nil, fadeOutSeconds: Double? = nil, trimsSilence: Bool = false,
        normalization: Normalization? = nil, sampleRate: Int? = nil, encoding: SoundFormat.Encoding? = nil
    ) {
        self.negativePrompt = negativePrompt
        self.speech = speech
        self.seconds = seconds
        self.numInferenceSteps = numInferenceSteps
        self.guidanceScale = guidanceScale
        self.scheduler = scheduler
        self.eta = eta
        self.seed = seed
        self.windowSeconds = windowSeconds
        self.loops = loops
        self.condition = condition
        self.audioWeight = audioWeight
        self.profile = profile
        self.memoryLimit = memoryLimit
        self.guidanceRescale = guidanceRescale
        self.guidanceInterval = guidanceInterval
        self.vocoder = vocoder
        self.fadeSeconds = fadeSeconds
        self.silenceRetries = silenceRetries
        self.quality = quality
        self.fadeInSeconds = fadeInSeconds
        self.fadeOutSeconds = fadeOutSeconds
        self.trimsSilence = trimsSilence
        self.normalization = normalization
        self.sampleRate = sampleRate
        self.encoding = encoding
    }

    /// Whether no sample can leave before all are there.
    package var needsWhole: Bool { trimsSilence && !loops || normalization != nil || loops && sampleRate != nil }
}
