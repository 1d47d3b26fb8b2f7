import Audio
import FoundationEssentials
import WeightFile

/// How a sound came about: what its file keeps in the comment, as JSON.
public struct SoundRecord: Codable, Sendable, Hashable {
    /// What was done: "generate" or "edit".
    public var operation: String
    /// What the sound should be.
    public var prompt: String
    /// What it should not be.
    public var negativePrompt: String
    /// What a speech model says, as text or as phonemes.
    public var transcription: String?
    /// The same in phonemes.
    public var phonemes: String?
    /// The number that settled all chance.
    public var seed: UInt64
    /// Length of the sound.
    public var seconds: Double
    /// Evaluations of the denoiser.
    public var steps: Int
    /// As `SoundOptions.guidanceScale`.
    public var guidanceScale: Float
    /// Nil for none.
    public var guidanceRescale: Float?
    /// Lowest and highest noise level at which there was guidance, as σ; nil for all.
    public var guidanceInterval: [Float]?
    /// As `SoundOptions.Vocoder` names it.
    public var vocoder: String?
    /// Nil for none.
    public var fadeSeconds: Double?
    /// Of the start, where it was said.
    public var fadeInSeconds: Double?
    /// Of the end, where it was said.
    public var fadeOutSeconds: Double?
    /// Whether silence at the ends was cut; nil if it was not.
    public var trimsSilence: Bool?
    /// The level that the sound was brought to, as `SoundOptions.Normalization` is written; nil for none.
    public var normalization: String?
    /// In Hz, where it was said.
    public var sampleRate: Int?
    /// How samples are stored, as `SoundFormat.Encoding.bits`, where it was said.
    public var bits: String?
    /// Attempts with the next seed that there could have been if the sound of a seed was silent; nil for none.
    public var silenceRetries: Int?
    /// As `SoundOptions.Scheduler` names it.
    public var scheduler: String
    /// As `SoundOptions.Quality` names it; nil in sounds that were made when there was none but "exact".
    public var quality: String?
    /// As `SoundOptions.eta`.
    public var eta: Float
    /// Whose behaviour it was made with, if that was said.
    public var profile: String?
    /// Nil if it was chosen by the model.
    public var windowSeconds: Double?
    /// Nil if it does not.
    public var loops: Bool?
    /// Of an edit.
    public var strength: Double?
    /// Of an edit: the parts made anew, each from and to, in seconds; nil for all, empty for what follows the sound's end.
    public var times: [[Double]]?
    /// Of an edit: the band made anew, from and to, in Hz, without an end if there is one number; nil for all.
    public var frequencies: [Double]?
    /// The prompt or sound of a condition that was saved, or of a sound that was given.
    public var condition: String?
    /// Of a sound's language of audio, if it was mixed with the prompt's.
    public var audioWeight: Float?
    /// Of a sound that was chosen from several: how well it fits the prompt, and how many there were.
    public var score: Double?
    /// Of a sound that was chosen from several: how many there were.
    public var candidates: Int?
    /// The model file's name.
    public var model: String
    /// The model file's contents, in 16 hexadecimal digits.
    public var modelHash: String
    /// The model's.
    public var license: String?
    /// The program and its version.
    public var software: String

    init(prompt: String, options: SoundOptions, seed: UInt64, seconds: Double, model: Model, edit: EditPlan? = nil) {
        operation = edit == nil ? "generate" : "edit"
        strength = edit?.strength
        times = edit?.times?.map { [$0.lowerBound, $0.upperBound] }
        frequencies = edit?.frequencies.map { [$0.lowerBound, $0.upperBound].filter(\.isFinite) }
        self.prompt = prompt
        self.seed = seed
        negativePrompt = options.isConditioned ? options.condition?.negativePrompt ?? "" : options.negativePrompt
        switch options.speech {
        case .text(let text): transcription = text
        case .phonemes(let text): phonemes = text
        case nil: break
        }
        self.seconds = seconds
        steps = options.steps(for: model)
        guidanceScale = options.guidanceScale
        let vocoder = options.vocoder(for: model)
        guidanceRescale = options.guidanceRescale(for: model).nonzero
        guidanceInterval = options.guidanceInterval.map { [$0.lowerBound, $0.upperBound] }
        self.vocoder = vocoder.rawValue
        fadeSeconds = edit == nil && !options.loops ? options.fadeSeconds(for: model).nonzero : nil
        if edit == nil {
            if !options.loops {
                (fadeInSeconds, fadeOutSeconds) = (options.fadeInSeconds, options.fadeOutSeconds)
                trimsSilence = options.trimsSilence ? true : nil
            }
            normalization = options.normalization?.rawValue
            sampleRate = options.sampleRate
        }
        bits = options.encoding?.bits
        scheduler = options.solver(for: model).rawValue
        quality = options.quality(for: model).rawValue
        eta = options.eta
        profile = (options.profile ?? model.profile)?.rawValue
        windowSeconds = options.windowSeconds
        loops = options.loops ? true : nil
        condition = options.condition?.source
        audioWeight = options.condition?.isLanguageOfAudioAlone == true ? options.audioWeight : nil
        self.model = URL(fileURLWithPath: model.pack.path).lastPathComponent
        modelHash = model.pack.contentHash
        license = model.pack.license
        software = AudioLDM2Pipeline.software
    }

    /// How samples are to be stored, where it was said.
    var encoding: SoundFormat.Encoding? { bits.flatMap { SoundFormat.Encoding(bits: $0) } }

    /// As one line of JSON.
    public func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    /// The texts of a sound file, which hold 4096 bytes each: the record's longest parts are shortened until it does.
    var metadata: SoundMetadata {
        var short = self
        var comment = try? short.json()
        while let text = comment, text.utf8.count > SoundMetadata.textLimit, short.shorten() {
            comment = try? short.json()
        }
        return SoundMetadata(
            title: prompt, comment: comment, software: software, license: license, loops: loops ?? false)
    }

    /// Halves the longest of what may have any length.
    /// - Returns: false if there is nothing left to shorten.
    private mutating func shorten() -> Bool {
        let texts: [WritableKeyPath<Self, String>] = [\.prompt, \.negativePrompt, \.model]
        let optional: [WritableKeyPath<Self, String?>] = [\.transcription, \.phonemes, \.condition, \.license]
        // What a part takes in JSON: a character may become six.
        let longest = max(
            texts.map { self[keyPath: $0].utf8.count }.max() ?? 0,
            optional.map { self[keyPath: $0]?.utf8.count ?? 0 }.max() ?? 0)
        if let times, times.count > 1, 8 * times.count >= longest {
            self.times = Array(times.prefix(times.count / 2))
            return true
        }
        guard longest > 1 else { return false }
        for part in texts where self[keyPath: part].utf8.count == longest {
            self[keyPath: part] = Self.half(self[keyPath: part])
            return true
        }
        for part in optional where self[keyPath: part]?.utf8.count == longest {
            self[keyPath: part] = self[keyPath: part].map(Self.half)
            return true
        }
        return false
    }

    /// By scalars, as one character may consist of any number of them.
    private static func half(_ text: String) -> String {
        String(text.unicodeScalars.prefix(text.unicodeScalars.count / 2))
    }
}

extension Pack {
    /// Of what the file holds, in 16 hexadecimal digits.
    var contentHash: String { String(printf: "%016lx", checksum) }

    /// What the model may be used for, by the licence's name.
    var license: String? { provenance.first { $0.key == "license" }?.value }
}
