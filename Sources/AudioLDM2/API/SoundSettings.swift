/// What somebody asked for of a sound, field by field: flags of a command, a line of a batch, the body of a request. What is
/// nil was not said, and comes from other settings, from the profile, or from the model.
///
///     let line = try SoundSettings(json: Data(#"{"steps": 50, "scheduler": "ddim"}"#.utf8))
///     let options = try line.over(flags).options(profile: pipeline.profile)
///
/// Meanings are those of `SoundOptions`. In JSON fields are called as in `Field`; others are refused, as a misspelled
/// one would be missed.
public struct SoundSettings: Sendable, Hashable, Codable {
    /// As `SoundOptions.negativePrompt`.
    public var negativePrompt: String?
    /// As `SoundOptions.profile`.
    public var profile: ReferenceProfile?
    /// As `SoundOptions.seconds`.
    public var seconds: Double?
    /// As `SoundOptions.seed`.
    public var seed: UInt64?
    /// As `SoundOptions.numInferenceSteps`.
    public var numInferenceSteps: Int?
    /// As `SoundOptions.guidanceScale`.
    public var guidanceScale: Float?
    /// As `SoundOptions.guidanceRescale`.
    public var guidanceRescale: Float?
    /// As `SoundOptions.guidanceInterval`; in JSON two numbers.
    public var guidanceInterval: ClosedRange<Float>?
    /// As `SoundOptions.scheduler`.
    public var scheduler: SoundOptions.Scheduler?
    /// As `SoundOptions.quality`.
    public var quality: SoundOptions.Quality?
    /// As `SoundOptions.eta`.
    public var eta: Float?
    /// As `SoundOptions.vocoder`.
    public var vocoder: SoundOptions.Vocoder?
    /// As `SoundOptions.windowSeconds`.
    public var windowSeconds: Double?
    /// As `SoundOptions.loops`.
    public var loops: Bool?
    /// As `SoundOptions.fadeSeconds`.
    public var fadeSeconds: Double?
    /// As `SoundOptions.fadeInSeconds`.
    public var fadeInSeconds: Double?
    /// As `SoundOptions.fadeOutSeconds`.
    public var fadeOutSeconds: Double?
    /// As `SoundOptions.trimsSilence`.
    public var trimsSilence: Bool?
    /// As `SoundOptions.normalization`.
    public var normalization: SoundOptions.Normalization?
    /// As `SoundOptions.sampleRate`.
    public var sampleRate: Int?
    /// As `SoundOptions.encoding`: in JSON 16, 24 or "float".
    public var encoding: SoundFormat.Encoding?
    /// As `SoundOptions.silenceRetries`.
    public var silenceRetries: Int?
    /// What a speech model says, as text or as phonemes: one of both.
    public var transcription: String?
    /// As `SoundOptions.Speech.phonemes`; not with a transcription.
    public var phonemes: String?
    /// As `SoundOptions.audioWeight`.
    public var audioWeight: Float?

    /// Settings that say nothing.
    public init() {}

    /// The fields by the names that they have in JSON.
    #if hasAttribute(nonexhaustive)
        @nonexhaustive
    #endif
    public enum Field: String, CodingKey, CaseIterable, Sendable {
        /// `negativePrompt`
        case negativePrompt = "negative_prompt"
        /// Settings whose names are the same.
        case profile, seconds, seed
        /// `numInferenceSteps`
        case numInferenceSteps = "steps"
        /// `guidanceScale`
        case guidanceScale = "guidance_scale"
        /// `guidanceRescale`
        case guidanceRescale = "guidance_rescale"
        /// `guidanceInterval`
        case guidanceInterval = "guidance_interval"
        /// Settings whose names are the same.
        case scheduler, quality, eta, vocoder
        /// `windowSeconds`
        case windowSeconds = "window"
        /// `loops`
        case loops = "loop"
        /// `fadeSeconds`
        case fadeSeconds = "fade"
        /// `fadeInSeconds`
        case fadeInSeconds = "fade_in"
        /// `fadeOutSeconds`
        case fadeOutSeconds = "fade_out"
        /// `trimsSilence`
        case trimsSilence = "trim_silence"
        /// `normalization`
        case normalization = "normalize"
        /// `sampleRate`
        case sampleRate = "sample_rate"
        /// `encoding`
        case encoding = "bits"
        /// `silenceRetries`
        case silenceRetries = "retries"
        /// Settings whose names are the same.
        case transcription, phonemes
        /// `audioWeight`
        case audioWeight = "audio_weight"
    }

    private typealias CodingKeys = Field

    /// These settings, and where they say nothing, others: a line of a batch over what was said for all.
    public func over(_ others: SoundSettings) -> SoundSettings {
        var all = others
        func take<Value>(_ field: WritableKeyPath<SoundSettings, Value?>) {
            if let value = self[keyPath: field] { all[keyPath: field] = value }
        }
        // What goes with a choice does not outlive it.
        if let scheduler, scheduler != .ddim { all.eta = nil }
        if transcription != nil || phonemes != nil { (all.transcription, all.phonemes) = (nil, nil) }
        take(\.negativePrompt)
        take(\.profile)
        take(\.seconds)
        take(\.seed)
        take(\.numInferenceSteps)
        take(\.guidanceScale)
        take(\.guidanceRescale)
        take(\.guidanceInterval)
        take(\.scheduler)
        take(\.quality)
        take(\.eta)
        take(\.vocoder)
        take(\.windowSeconds)
        take(\.loops)
        take(\.fadeSeconds)
        take(\.fadeInSeconds)
        take(\.fadeOutSeconds)
        take(\.trimsSilence)
        take(\.normalization)
        take(\.sampleRate)
        take(\.encoding)
        take(\.silenceRetries)
        take(\.transcription)
        take(\.phonemes)
        take(\.audioWeight)
        return all
    }

    /// What was asked for, over the defaults of the profile that was named, or else of `profile`.
    /// - Parameter profile: the model's.
    /// - Throws: `AudioLDM2Error` of kind `.invalidOption` that names the field.
    public func options(profile: ReferenceProfile? = nil) throws -> SoundOptions {
        try options(profile: profile, naming: { "\"\($0.rawValue)\"" })
    }

    /// What was asked for of a sound's ends.
    private var endings: Field? {
        let fades = [
            (Field.fadeSeconds, fadeSeconds), (.fadeInSeconds, fadeInSeconds), (.fadeOutSeconds, fadeOutSeconds),
        ]
        return fades.first { ($0.1 ?? 0) > 0 }?.0 ?? (trimsSilence == true ? .trimsSilence : nil)
    }

    /// - Parameter name: of a field, as whoever reads the message knows it.
    package func options(profile other: ReferenceProfile?, naming name: (Field) -> String) throws -> SoundOptions {
        if let problem = problem(naming: name) { throw AudioLDM2Error(.invalidOption, problem) }
        var options = SoundOptions.defaults(of: profile ?? other)
        if profile == nil { options.leaveToModel() }
        if let scheduler { options.use(scheduler) }
        options.negativePrompt = negativePrompt ?? options.negativePrompt
        options.seconds = seconds
        options.seed = seed
        options.quality = quality ?? options.quality
        options.numInferenceSteps = numInferenceSteps ?? options.numInferenceSteps
        options.guidanceScale = guidanceScale ?? options.guidanceScale
        options.guidanceRescale = guidanceRescale ?? options.guidanceRescale
        options.guidanceInterval = guidanceInterval ?? options.guidanceInterval
        options.eta = eta ?? options.eta
        options.vocoder = vocoder ?? options.vocoder
        options.windowSeconds = windowSeconds
        options.loops = loops ?? options.loops
        options.fadeSeconds = fadeSeconds ?? options.fadeSeconds
        options.fadeInSeconds = fadeInSeconds
        options.fadeOutSeconds = fadeOutSeconds
        options.trimsSilence = trimsSilence ?? options.trimsSilence
        options.normalization = normalization
        options.sampleRate = sampleRate
        options.encoding = encoding
        options.silenceRetries = silenceRetries ?? options.silenceRetries
        options.speech =
            transcription.map(SoundOptions.Speech.text) ?? phonemes.map(SoundOptions.Speech.phonemes)
        options.audioWeight = audioWeight ?? options.audioWeight
        guard options.eta == 0 || options.scheduler == .ddim else {
            throw AudioLDM2Error(.invalidOption, "\(name(.eta)) needs \(name(.scheduler)) ddim")
        }
        if options.loops, let field = endings {
            throw AudioLDM2Error(
                .invalidOption, "\(name(field)) does not go with \(name(.loops)): what repeats has no ends")
        }
        return options
    }

    /// What is wrong with these settings whatever the model is, in words; nil if nothing is.
    /// - Parameter name: of a field, as whoever reads the message knows it.
    package func problem(naming name: (Field) -> String) -> String? {
        func outside<Value: Comparable>(_ field: Field, _ value: Value?, _ range: ClosedRange<Value>) -> String? {
            guard let value, !range.contains(value) else { return nil }
            return "\(name(field)) \(value): choose \(words(range.lowerBound)) to \(words(range.upperBound))"
        }
        let found = [
            outside(.seconds, seconds, SoundOptions.secondsRange),
            outside(.numInferenceSteps, numInferenceSteps, SoundOptions.stepsRange),
            outside(.guidanceScale, guidanceScale, SoundOptions.guidanceRange),
            outside(.guidanceRescale, guidanceRescale, 0...1),
            outside(.guidanceInterval, guidanceInterval?.lowerBound, SoundOptions.noiseRange),
            outside(.guidanceInterval, guidanceInterval?.upperBound, SoundOptions.noiseRange),
            outside(.eta, eta, 0...1),
            outside(.windowSeconds, windowSeconds, SoundOptions.windowRange),
            outside(.fadeSeconds, fadeSeconds, SoundOptions.fadeRange),
            outside(.fadeInSeconds, fadeInSeconds, SoundOptions.fadeRange),
            outside(.fadeOutSeconds, fadeOutSeconds, SoundOptions.fadeRange),
            outside(.sampleRate, sampleRate, SoundOptions.sampleRateRange),
            outside(.silenceRetries, silenceRetries, SoundOptions.retriesRange),
            outside(.audioWeight, audioWeight, 0...1),
        ].compactMap(\.self).first
        if let found { return found }
        if let normalization, !normalization.isUsable {
            return "\(name(.normalization)) \(normalization.rawValue): choose peak:-60 to peak:0 or lufs:-60 to lufs:0"
        }
        if let scheduler, scheduler != .ddim, let eta, eta != 0 {
            return "\(name(.eta)) needs \(name(.scheduler)) ddim"
        }
        if transcription != nil, phonemes != nil {
            return "\(name(.transcription)) and \(name(.phonemes)) say the same: give one of them"
        }
        return nil
    }

    /// A bound of a range, without a fraction of nothing.
    private func words<Value>(_ bound: Value) -> String {
        let text = "\(bound)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}
