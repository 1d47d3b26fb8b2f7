import FoundationEssentials
import Text

/// How a model's sounds are made where `SoundOptions` do not say: `generation_config.json` of its checkpoint folder,
/// kept in the model file. Published models have none and sound as the reference implementations make them.
public struct ModelDefaults: Codable, Sendable, Hashable {
    /// What makes a waveform of a spectrogram.
    public var vocoder: SoundOptions.Vocoder?
    /// As `SoundOptions.guidanceRescale`.
    public var guidanceRescale: Float?
    /// As `SoundOptions.fadeSeconds`.
    public var fadeSeconds: Double?
    /// As `SoundOptions.silenceRetries`.
    public var silenceRetries: Int?
    /// Which steps of `SoundOptions.Quality.faster` evaluate the whole denoiser: a letter for each, "w" for those, "-" for the
    /// others, as `audioldm2 calibrate` finds them. Other numbers of steps stretch it.
    public var fasterSteps: String?

    /// Defaults, of which nil says nothing.
    public init(
        vocoder: SoundOptions.Vocoder? = nil, guidanceRescale: Float? = nil, fadeSeconds: Double? = nil,
        silenceRetries: Int? = nil, fasterSteps: String? = nil
    ) {
        self.vocoder = vocoder
        self.guidanceRescale = guidanceRescale
        self.fadeSeconds = fadeSeconds
        self.silenceRetries = silenceRetries
        self.fasterSteps = fasterSteps
    }

    /// What the reference implementations do.
    public static let references = ModelDefaults(
        vocoder: .hifigan, guidanceRescale: 0, fadeSeconds: 0, silenceRetries: 0)

    /// The file in a checkpoint folder.
    package static let fileName = "generation_config.json"
    /// The name under which a model file holds them.
    package static let blobName = "generation_config"

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case vocoder
        case guidanceRescale = "guidance_rescale"
        case fadeSeconds = "fade_seconds"
        case silenceRetries = "silence_retries"
        case fasterSteps = "faster_steps"
    }

    /// - Throws: `ConfigError` that names the key for what is unknown, of another type, or out of range.
    package init(reading json: Data) throws {
        let component = Self.blobName
        guard let object = try? JSONValue(reading: json).object else {
            throw ConfigError.malformed(component: component, reason: "it is not a JSON object")
        }
        let known = CodingKeys.allCases.map(\.rawValue)
        if let key = object.keys.sorted().first(where: { !known.contains($0) }) {
            throw ConfigError.malformed(
                component: component,
                reason: "this version does not know '\(key)', but \(known.joined(separator: ", "))")
        }
        self = try decodeConfig(json, component: component)
        let check = ConfigCheck(component: component)
        if let guidanceRescale { try check.require("guidance_rescale", guidanceRescale, in: 0...1) }
        if let fadeSeconds { try check.require("fade_seconds", fadeSeconds, in: SoundOptions.fadeRange) }
        if let silenceRetries {
            try check.require("silence_retries", silenceRetries, in: SoundOptions.retriesRange)
        }
        if let fasterSteps, !Self.isPolicy(fasterSteps) {
            throw ConfigError.malformed(
                component: component,
                reason:
                    "'faster_steps' is \(fasterSteps.quoted), not a letter w or - for each of up to 1000 steps, w first"
            )
        }
    }

    private static func isPolicy(_ letters: String) -> Bool {
        SoundOptions.stepsRange.contains(letters.utf8.count) && StepPolicy(letters) != nil
    }

    /// As a model file holds them.
    package func encoded() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return try encoder.encode(self)
    }
}

extension ModelDefaults: CustomStringConvertible {
    /// What is said, in one line: "vocoder griffin-lim, fade 0.01 s".
    public var description: String {
        [
            vocoder.map { "vocoder \($0.rawValue)" }, guidanceRescale.map { "guidance rescale \($0)" },
            fadeSeconds.map { "fade \($0) s" }, silenceRetries.map { "retries of silence \($0)" },
            fasterSteps.map { "faster \($0)" },
        ].compactMap(\.self).joined(separator: ", ")
    }
}
