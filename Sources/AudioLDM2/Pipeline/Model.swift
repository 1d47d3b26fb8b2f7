import Diffusion
import Foundation
import Tensors
import Tokenizers
import WeightFile

/// An opened model file: its configuration, and the way to its weights.
struct Model: Sendable {
    let pack: Pack
    let clapConfig: CLAPConfig?
    let secondConfig: StateEncoderConfig?
    let projectionConfig: ProjectionConfig?
    let languageModelConfig: GPT2Config?
    let unetConfig: UNetConfig
    let vaeConfig: VAEConfig
    let vocoderConfig: HiFiGANConfig
    let schedulerConfig: SchedulerConfig
    /// Nil if the file does not say.
    let profile: GenerationProfile?
    /// What it says of how its sounds are made.
    let defaults: ModelDefaults
    /// Nil if the file does not say.
    let vocabulary: PromptVocabulary?

    /// - Throws: `PackError`, `ConfigError`, `SchedulerError`.
    init(opening path: String) throws {
        pack = try Pack(opening: path)
        let names = Set(pack.components.map(\.name))
        clapConfig = try names.contains(PartName.clap) ? pack.config(PartName.clap) : nil
        secondConfig = try names.contains(PartName.second) ? StateEncoderConfig(pack, component: PartName.second) : nil
        projectionConfig = try names.contains(PartName.projection) ? pack.config(PartName.projection) : nil
        languageModelConfig = try names.contains(PartName.languageModel) ? pack.config(PartName.languageModel) : nil
        unetConfig = try pack.config(PartName.unet)
        vaeConfig = try pack.config(PartName.vae)
        vocoderConfig = try pack.config(PartName.vocoder)
        schedulerConfig = try decodeConfig(pack.blob(PartName.scheduler), component: PartName.scheduler)
        profile = try pack.profile()
        defaults = try pack.defaults()
        vocabulary = try pack.vocabulary()
        try checkAgreement()
    }

    /// Widths at the borders between components, so that a mixed-up file fails here and not in the middle of the work.
    private func checkAgreement() throws {
        func require(_ component: String, _ key: String, _ value: Int, equals expected: Int) throws {
            try ConfigCheck(component: component).require(key, value, isOneOf: [expected])
        }
        if let languageModelConfig {
            let (clap, second, projection) = (
                try required(clapConfig, PartName.clap), try required(secondConfig, PartName.second),
                try required(projectionConfig, PartName.projection)
            )
            try require(PartName.projection, "text_encoder_dim", projection.textEncoderDim, equals: clap.projectionDim)
            try require(PartName.projection, "text_encoder_1_dim", projection.textEncoder1Dim, equals: second.width)
            try require(
                PartName.projection, "langauge_model_dim", projection.langaugeModelDim,
                equals: languageModelConfig.nEmbd)
        }
        try require(PartName.unet, "in_channels", unetConfig.inChannels, equals: vaeConfig.latentChannels)
        try require(PartName.unet, "out_channels", unetConfig.outChannels, equals: vaeConfig.latentChannels)
        try require(PartName.vae, "out_channels", vaeConfig.outChannels, equals: 1)
        guard vocoderConfig.modelInDim % vaeConfig.scaleFactor == 0 else {
            throw ConfigError.unsupported(
                component: PartName.vocoder, key: "model_in_dim", value: "\(vocoderConfig.modelInDim)",
                supported: "multiples of the VAE's scale, \(vaeConfig.scaleFactor)")
        }
        if let width = unetConfig.filmWidth {
            let clap = try required(clapConfig, PartName.clap)
            try require(PartName.unet, "projection_class_embeddings_input_dim", width, equals: clap.projectionDim)
        }
        let sources = contextSources
        for level in unetConfig.levels {
            for (place, dim) in level.crossAttentionDims.enumerated() {
                guard let dim else { continue }
                let index = UNetConfig.contextIndex(place)
                let source = try required(index < sources.count ? sources[index] : nil, PartName.second)
                try require(PartName.unet, "cross_attention_dim", dim, equals: width(of: source))
            }
        }
    }

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
        if case .phonemes = secondConfig { true } else { false }
    }

    /// A sequence that the UNet can read.
    enum ContextSource: Sendable {
        case languageOfAudio
        case states
    }

    /// What the UNet's conditioning sequences are, by their index.
    var contextSources: [ContextSource] {
        (languageModelConfig == nil ? [] : [.languageOfAudio]) + (secondConfig == nil ? [] : [.states])
    }

    private func width(of source: ContextSource) -> Int {
        switch source {
        case .languageOfAudio: languageModelConfig?.nEmbd ?? 0
        case .states: secondConfig?.width ?? 0
        }
    }

    /// - Throws: `PackError.missingComponent` for a part that this model cannot do without and lacks.
    private func required<Config>(_ config: Config?, _ component: String) throws -> Config {
        guard let config else {
            throw PackError.missingComponent(
                path: pack.path, name: component, available: pack.components.map(\.name))
        }
        return config
    }

    /// The length of a sound if nobody asks for another: what the UNet was trained on.
    var defaultSeconds: Double {
        Double((unetConfig.sampleSize ?? 256) * vaeConfig.scaleFactor) * secondsPerFrame
    }

    /// Of the mel spectrogram.
    var secondsPerFrame: Double { Double(vocoderConfig.hopLength) / Double(vocoderConfig.samplingRate) }

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
