import Diffusion
import Foundation
import Tensors
import Tokenizers
import WeightFile

/// An opened model file: its configuration, and the way to its weights.
@dynamicMemberLookup
struct Model: Sendable {
    let pack: Pack
    let configs: ModelConfigs
    /// Nil if the file does not say.
    let profile: GenerationProfile?
    /// What it says of how its sounds are made.
    let defaults: ModelDefaults
    /// Nil if the file does not say.
    let vocabulary: PromptVocabulary?

    /// - Throws: `PackError`, `ConfigError`, `SchedulerError`.
    init(opening path: String) throws {
        pack = try Pack(opening: path)
        let parts = pack.components.map {
            ($0.name, PackIndex.Component(name: $0.name, className: $0.className, config: $0.config))
        }
        configs = try ModelConfigs(
            Dictionary(parts) { first, _ in first }, scheduler: pack.blob(PartName.scheduler), source: path)
        profile = try pack.profile()
        defaults = try pack.defaults()
        vocabulary = try pack.vocabulary()
    }

    subscript<Value>(dynamicMember config: KeyPath<ModelConfigs, Value>) -> Value { configs[keyPath: config] }

    /// Parts that read texts and were left out of the file.
    var missingTextEncoders: [String] {
        PartName.textEncoders.filter { pack.component($0)?.tensors.isEmpty == true }
    }

    /// - Throws: `AudioLDM2Error` of kind `.invalidOption` for a model that was made without its text encoders.
    func requireTextEncoders() throws {
        let missing = missingTextEncoders
        guard missing.isEmpty else {
            throw AudioLDM2Error(
                .invalidOption,
                "\(pack.path): was made without \(missing.joined(separator: ", ")), so it cannot read a prompt; give it a "
                    + "condition (--condition FILE) that 'audioldm2 encode' saved with the whole model")
        }
    }

    /// Whether it must be told what to say.
    var speaks: Bool {
        if case .phonemes = configs.secondConfig { true } else { false }
    }

    /// The length of a sound if nobody asks for another: what the UNet was trained on.
    var defaultSeconds: Double {
        Double((configs.unetConfig.sampleSize ?? 256) * configs.vaeConfig.scaleFactor) * secondsPerFrame
    }

    /// Of the mel spectrogram.
    var secondsPerFrame: Double { Double(configs.vocoderConfig.hopLength) / Double(configs.vocoderConfig.samplingRate) }

    /// - Throws: also if the model was converted from a file that holds no tokenizers, and none was added.
    func tokenizer(_ name: String) throws -> any Tokenizer {
        guard pack.blobs.contains(where: { $0.name == name }) else {
            throw AudioLDM2Error(
                .modelFile,
                "\(pack.path): has no \(name), so it cannot read texts; convert the checkpoint again with "
                    + "--\(name.replacing("_", with: "-")) FOLDER")
        }
        return try makeTokenizer(TokenizerDefinition(decoding: pack.blob(name)))
    }
}

extension Pack {
    /// The profile that the converter noted.
    fileprivate func profile() throws -> GenerationProfile? {
        guard let name = provenance.first(where: { $0.key == GenerationProfile.note })?.value else { return nil }
        guard let profile = GenerationProfile(rawValue: name) else {
            let known = GenerationProfile.allCases.map(\.rawValue).joined(separator: ", ")
            throw AudioLDM2Error(
                .modelFile, "\(path): its profile is \(name.quoted), but this version knows only \(known)")
        }
        return profile
    }

    /// What the checkpoint said of how its sounds are made.
    func defaults() throws -> ModelDefaults {
        guard blobs.contains(where: { $0.name == ModelDefaults.blobName }) else { return ModelDefaults() }
        return try ModelDefaults(reading: blob(ModelDefaults.blobName))
    }

    /// A component's configuration, decoded and validated.
    func config<Config: ModelConfig>(_ component: String) throws -> Config {
        try Config.read(requiredComponent(component).config, component: component)
    }
}

extension GenerationProfile {
    /// The name under which a model file notes it.
    package static let note = "profile"
}

/// The extents of one sound, as the reference computes them from its length in seconds.
struct ClipLength: Sendable, Equatable {
    /// Frames of latents; the spectrogram is a multiple of the VAE's scale.
    let latentFrames: Int
    /// Bands of latents.
    let latentBands: Int
    /// Samples of the waveform, to which it is cut.
    let samples: Int

    /// - Parameter loops: rounds to whole frames of latents.
    /// - Throws: `AudioLDM2Error` of kind `.invalidOption` outside of `GenerationOptions.secondsRange`.
    init(seconds: Double, loops: Bool = false, model: Model) throws {
        let range = GenerationOptions.secondsRange
        guard range.contains(seconds) else {
            throw AudioLDM2Error(
                .invalidOption,
                "\(seconds) seconds: choose a length of \(range.lowerBound)…\(Int(range.upperBound))")
        }
        let frames = Int(seconds / model.secondsPerFrame)
        let scale = model.vaeConfig.scaleFactor
        latentFrames = (frames + scale - 1) / scale
        latentBands = model.vocoderConfig.modelInDim / scale
        samples =
            loops
            ? latentFrames * scale * model.vocoderConfig.hopLength
            : min(
                Int(seconds * Double(model.vocoderConfig.samplingRate)),
                model.vocoderConfig.sampleCount(frames: latentFrames * scale))
    }
}
