import Audio
import Tensors

/// One sound as it will be made: what was asked for, with its seed drawn, and found to be usable with the model. Nothing
/// behind this looks at options that are out of range.
struct ResolvedRequest: Sendable {
    let model: Model
    let prompt: String
    let options: SoundOptions
    /// The sound's number among those of its job.
    let number: Int
    private(set) var seed: UInt64
    let length: ClipLength
    /// Frames of latents that the UNet sees at once.
    let windowFrames: Int
    /// Attempts with the next seed that are left if the sound comes out silent.
    private(set) var retries: Int

    /// - Throws: `AudioLDM2Error`, `SchedulerError`.
    init(_ request: SoundRequest, number: Int = 0, in context: GenerationContext) throws {
        let options = request.options
        let model = context.model
        if !options.isConditioned { try model.requireTextEncoders() }
        self.model = model
        self.options = options
        self.number = number
        prompt = request.prompt
        seed = options.seed ?? UInt64.random(in: 0...UInt64(UInt32.max))
        length = try options.length(for: model)
        windowFrames = try options.windowFrames(for: model)
        retries = options.silenceRetries(for: model)
        _ = try options.scheduler(for: model)
        try options.checkFinish(for: model)
        if options.loops, Mastering.loopCount(length.samples, rates: rates) == nil {
            throw AudioLDM2Error(
                .invalidOption,
                "a loop of \(length.samples) samples at \(rates.from) Hz is no whole number of them at \(rates.to) Hz; "
                    + "choose a multiple of 8000 or 11025 Hz")
        }
        if options.quality == .faster, options.quality(for: model) == .exact {
            context.warn(
                "the quality is exact: with \(options.solver(for: model).rawValue) and this model's schedule nothing can be spared"
            )
        }
        try checkCondition(on: context.backend)
    }

    private init(_ other: ResolvedRequest, number: Int, seed: UInt64, retries: Int) {
        model = other.model
        options = other.options
        prompt = other.prompt
        length = other.length
        windowFrames = other.windowFrames
        self.number = number
        self.seed = seed
        self.retries = retries
    }

    /// Sounds of this seed and the ones after it. Each is what it would be alone; none is tried again, as another has the
    /// next seed already.
    func candidates(_ count: Int) -> [ResolvedRequest] {
        (0..<count).map { ResolvedRequest(self, number: $0, seed: seed &+ UInt64($0), retries: 0) }
    }

    /// The same with the next seed; nil if no attempt is left.
    var retry: ResolvedRequest? {
        retries > 0 ? ResolvedRequest(self, number: number, seed: seed &+ 1, retries: retries - 1) : nil
    }

    var vocoder: SoundOptions.Vocoder { options.vocoder(for: model) }

    /// Whether a streamed sound leaves when all of it is known: one that is decoded at once anyway, and has one gain.
    var isHeldWhole: Bool {
        if options.needsWhole { return true }
        guard options.loops || length.latentFrames <= windowFrames else { return false }
        return vocoder == .griffinLim
    }

    /// Of the finished sound, in Hz.
    var sampleRate: Int { options.sampleRate ?? model.vocoderConfig.samplingRate }

    /// Of what is vocoded and of the finished sound, in Hz.
    var rates: (from: Int, to: Int) { (model.vocoderConfig.samplingRate, sampleRate) }

    /// Samples that are faded at the start and at the end, before their rate is changed; none of a loop.
    var fades: (fadeIn: Int, fadeOut: Int) {
        guard !options.loops else { return (0, 0) }
        let (rate, both) = (Double(rates.from), options.fadeSeconds(for: model))
        let fadeOut = Int((options.fadeOutSeconds ?? both) * rate)
        return (options.fadeInSeconds.map { Int($0 * rate) } ?? Int(both * rate) / 5, fadeOut)
    }

    /// What is done with all of the sound; nil if it need not be held for that.
    var mastering: Mastering? {
        guard options.needsWhole else { return nil }
        return Mastering(
            trims: options.trimsSilence, normalization: options.normalization, loops: options.loops, rates: rates)
    }

    /// Memory of the finished sound, which is copied twice unless it goes while it is made, and of a search for phases.
    func soundBytes(isStreamed: Bool) throws -> Int {
        var copies = isStreamed ? (isHeldWhole ? 2 : 0) : 3
        if options.needsWhole { copies += options.loops ? 4 : 1 }
        let samples = length.samples * max(rates.from, rates.to) / rates.from
        return try copies * samples * MemoryLayout<Float>.size + searchBytes()
    }

    /// Memory of a search for phases; 0 for a vocoder that makes them.
    func searchBytes() throws -> Int {
        guard vocoder == .griffinLim else { return 0 }
        return try model.griffinLim().byteCount(
            frames: length.latentFrames * model.vaeConfig.scaleFactor, loops: options.loops)
    }

    /// What is needed to make a sound of a prompt again, and what was done with one that was changed.
    /// - Parameters:
    ///   - seconds: of the sound; nil for what was asked for.
    ///   - isSilent: whether it was kept although it is: no other seed is to be tried then.
    ///   - edit: what it was made by, if a sound was changed.
    func record(seconds: Double? = nil, isSilent: Bool = false, edit: EditPlan? = nil) -> SoundRecord {
        var record = SoundRecord(
            prompt: prompt, options: options, seed: seed,
            seconds: seconds ?? Double(length.samples) / Double(model.vocoderConfig.samplingRate), model: model,
            edit: edit)
        record.silenceRetries = isSilent || edit != nil ? nil : options.silenceRetries(for: model).nonzero
        return record
    }
}
