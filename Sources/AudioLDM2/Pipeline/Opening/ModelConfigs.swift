import Diffusion
import FoundationEssentials
import Glibc
import WeightFile

/// The configurations of a model's parts, which agree with each other where the parts meet.
package struct ModelConfigs: Sendable {
    package let clapConfig: CLAPConfig?
    package let secondConfig: StateEncoderConfig?
    let projectionConfig: ProjectionConfig?
    package let languageModelConfig: GPT2Config?
    package let unetConfig: UNetConfig
    package let vaeConfig: VAEConfig
    package let vocoderConfig: HiFiGANConfig
    /// Nil for a model whose bands are inverted without a network.
    package let magnitudeConfig: MagnitudeConfig?
    package let schedulerConfig: SchedulerConfig

    /// What holds them, for messages.
    private let source: String
    private let names: [String]

    /// - Parameters:
    ///   - parts: the class and the configuration of every part, by name.
    ///   - source: the model file or checkpoint, for messages.
    /// - Throws: `PackError.missingComponent`, `ConfigError`, `SchedulerError`.
    package init(_ parts: [String: PackIndex.Component], scheduler: Data, source: String) throws {
        func read<Config: ModelConfig>(_ name: String) throws -> Config? {
            try parts[name].map { try Config.read($0.config, component: name) }
        }
        func required<Config: ModelConfig>(_ name: String) throws -> Config {
            try Self.required(read(name), name, of: source, parts.keys.sorted())
        }
        self.source = source
        names = parts.keys.sorted()
        for part in ModelFamily(recognizing: parts).requiredParts where parts[part] == nil {
            throw PackError.missingComponent(path: source, name: part, available: names)
        }
        clapConfig = try read(PartName.clap)
        secondConfig = try parts[PartName.second].map { try StateEncoderConfig($0) }
        projectionConfig = try read(PartName.projection)
        languageModelConfig = try read(PartName.languageModel)
        unetConfig = try required(PartName.unet)
        vaeConfig = try required(PartName.vae)
        vocoderConfig = try required(PartName.vocoder)
        magnitudeConfig = try read(PartName.magnitudes)
        schedulerConfig = try decodeConfig(scheduler, component: PartName.scheduler)
        try checkAgreement()
    }

    /// Whether CLAP's embedding of a text is a condition. Where it is not, CLAP only judges sounds.
    package var isConditionedOnCLAP: Bool {
        clapConfig != nil && (languageModelConfig != nil || unetConfig.filmWidth != nil)
    }

    /// Widths at the borders between components, so that a mixed-up file fails here and not in the middle of the work.
    private func checkAgreement() throws {
        func require(
            _ component: String, _ key: String, _ value: Int, equals expected: Int, of other: String
        ) throws {
            guard value != expected else { return }
            throw ConfigError.disagreement(
                component: component, key: key, value: "\(value)", other: other, otherValue: "\(expected)")
        }
        if let languageModelConfig {
            let (clap, second, projection) = (
                try required(clapConfig, PartName.clap), try required(secondConfig, PartName.second),
                try required(projectionConfig, PartName.projection)
            )
            let name = PartName.projection
            try require(
                name, "text_encoder_dim", projection.textEncoderDim, equals: clap.projectionDim, of: PartName.clap)
            try require(
                name, "text_encoder_1_dim", projection.textEncoder1Dim, equals: second.width, of: PartName.second)
            try require(
                name, "langauge_model_dim", projection.langaugeModelDim, equals: languageModelConfig.nEmbd,
                of: PartName.languageModel)
        }
        let latents = vaeConfig.latentChannels
        try require(PartName.unet, "in_channels", unetConfig.inChannels, equals: latents, of: PartName.vae)
        try require(PartName.unet, "out_channels", unetConfig.outChannels, equals: latents, of: PartName.vae)
        try ConfigCheck(component: PartName.vae).require("out_channels", vaeConfig.outChannels, isOneOf: [1])
        guard vocoderConfig.modelInDim % vaeConfig.scaleFactor == 0 else {
            throw ConfigError.unsupported(
                component: PartName.vocoder, key: "model_in_dim", value: "\(vocoderConfig.modelInDim)",
                supported: "multiples of the VAE's scale, \(vaeConfig.scaleFactor)")
        }
        if let magnitudeConfig {
            try require(
                PartName.magnitudes, "model_in_dim", magnitudeConfig.modelInDim, equals: vocoderConfig.modelInDim,
                of: PartName.vocoder)
        }
        if let width = unetConfig.filmWidth {
            let clap = try required(clapConfig, PartName.clap)
            try require(
                PartName.unet, "projection_class_embeddings_input_dim", width, equals: clap.projectionDim,
                of: PartName.clap)
        }
        let sources = contextSources
        for level in unetConfig.levels {
            for (place, dim) in level.crossAttentionDims.enumerated() {
                guard let dim else { continue }
                let index = UNetConfig.contextIndex(place)
                let source = try required(index < sources.count ? sources[index] : nil, PartName.second)
                try require(
                    PartName.unet, "cross_attention_dim", dim, equals: width(of: source), of: source.component)
            }
        }
    }

    /// - Throws: `ConfigError` for a magnitude network of other frames than a spectrogram's.
    package func checkMagnitudes(_ mel: MelConfig) throws {
        guard let magnitudeConfig else { return }
        try ConfigCheck(component: PartName.magnitudes)
            .require("num_bins", magnitudeConfig.numBins, isOneOf: [mel.geometry.fftLength / 2 + 1])
    }

    /// A sequence that the UNet can read.
    enum ContextSource: Sendable {
        case languageOfAudio
        case states

        /// What makes it.
        var component: String {
            switch self {
            case .languageOfAudio: PartName.languageModel
            case .states: PartName.second
            }
        }
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

    private func required<Config>(_ config: Config?, _ component: String) throws -> Config {
        try Self.required(config, component, of: source, names)
    }

    /// - Throws: `PackError.missingComponent` for a part that this model cannot do without and lacks.
    private static func required<Config>(
        _ config: Config?, _ component: String, of source: String, _ names: [String]
    ) throws -> Config {
        guard let config else { throw PackError.missingComponent(path: source, name: component, available: names) }
        return config
    }
}

extension ModelConfigs {
    /// What can be known of the model's scheduler before a sound is made.
    /// - Returns: why the default one for a profile cannot run what the checkpoint says, and which ones can; nil if it can.
    /// - Throws: `SchedulerError` if none can.
    package func schedulerNote(profile: ReferenceProfile?) throws -> String? {
        // In one step: how many there may be is another question.
        func refusal(_ scheduler: SoundOptions.Scheduler) -> (any Error)? {
            do {
                _ = try makeScheduler(scheduler.kind, config: schedulerConfig, steps: 1)
                return nil
            } catch {
                return error
            }
        }
        let takesAnyLevels = (try? schedulerConfig.takesAnyLevels(.unipc)) ?? false
        let usual = SoundOptions.defaults(of: profile).scheduler ?? (takesAnyLevels ? .unipc : .dpmpp)
        guard let reason = refusal(usual) else { return nil }
        let usable = SoundOptions.Scheduler.allCases.filter { refusal($0) == nil }.map(\.rawValue)
        guard !usable.isEmpty else { throw reason }
        return "scheduler: \(usual.rawValue), the default, cannot run this one (\(reason)); "
            + "choose with --scheduler: \(usable.joined(separator: ", "))"
    }
}
