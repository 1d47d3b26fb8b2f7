import Audio
import WeightFile

/// What a model file may hold beside what makes sound from text.
package struct OptionalPart: Sendable {
    /// In the file.
    package let name: String
    /// In messages.
    package let title: String
    /// What to do if it is missing.
    package var remedy = Self.conversionRemedy

    package static let vaeEncoder = OptionalPart(name: PartName.vaeEncoder, title: "VAE encoder")
    package static let clapAudio = OptionalPart(name: PartName.clapAudio, title: "CLAP audio encoder")
    package static let audioMAE = OptionalPart(
        name: PartName.audioMAE, title: "AudioMAE encoder",
        remedy: "convert one of the authors' files, or a checkpoint with a folder 'audiomae'")

    fileprivate static let conversionRemedy =
        "convert the checkpoint again, with a current audioldm2-convert and without leaving it out, or add it (--component) if the checkpoint has none"
}

extension OpenedModel {
    package func has(_ part: OptionalPart) -> Bool { pack.component(part.name) != nil }

    /// - Throws: `AudioLDM2Error` of kind `.modelFile` that says what to do if the part is not there.
    package func require(_ part: OptionalPart) throws {
        guard has(part) else { throw missing(part.title, part.name, part.remedy) }
    }

    /// - Throws: `AudioLDM2Error` of kind `.modelFile` for a file that does not say, `ConfigError`.
    package func melConfig() throws -> MelConfig {
        guard pack.blobs.contains(where: { $0.name == PartName.mel }) else {
            throw missing("description of its mel spectrogram", PartName.mel, OptionalPart.conversionRemedy)
        }
        return try MelConfig.read(pack.blob(PartName.mel), component: PartName.mel)
    }

    /// - Throws: as `require(_:)`, `ConfigError`.
    package func clapAudioConfig() throws -> CLAPAudioConfig {
        try require(.clapAudio)
        let config: CLAPAudioConfig = try pack.config(OptionalPart.clapAudio.name)
        try ConfigCheck(component: OptionalPart.clapAudio.name)
            .require("num_mel_bins", config.audioConfig.numMelBins, isOneOf: [clapFeatureConfig().featureSize])
        return config
    }

    package func clapFeatureConfig() throws -> CLAPFeatureConfig {
        try CLAPFeatureConfig.read(pack.blob(PartName.features), component: PartName.features)
    }

    /// - Throws: as `require(_:)`, `ConfigError`.
    package func audioMAEConfig() throws -> AudioMAEConfig {
        try require(.audioMAE)
        return try pack.config(OptionalPart.audioMAE.name)
    }

    private func missing(_ title: String, _ name: String, _ remedy: String) -> AudioLDM2Error {
        AudioLDM2Error(.modelFile, "\(pack.path): has no \(title) ('\(name)'), which this needs; \(remedy)")
    }
}

extension Model {
    /// What searches for the phases of this model's spectrograms.
    /// - Throws: as `melConfig()`; `ConfigError` for a description of other spectrograms than the vocoder's, or a magnitude
    ///   network of other frames.
    func griffinLim() throws -> GriffinLim {
        let mel = try melConfig()
        let geometry = mel.geometry
        let check = ConfigCheck(component: PartName.mel)
        try check.require("n_mel_channels", geometry.bands, isOneOf: [configs.vocoderConfig.modelInDim])
        try check.require("hop_length", geometry.hop, isOneOf: [configs.vocoderConfig.hopLength])
        guard let magnitudeConfig = configs.magnitudeConfig else { return GriffinLim(geometry) }
        try configs.checkMagnitudes(mel)
        return GriffinLim(geometry, correctionReach: magnitudeConfig.reach)
    }
}
