import WeightFile

/// Models that listen and make no sounds.
extension ModelFamily {
    /// Embeddings for the Fréchet audio distance.
    static let vggish = judge("vggish", "VGGish, which judges sounds", VGGish.self)
    /// Embeddings and classes.
    static let cnn14 = judge("cnn14", "Cnn14 of PANNs, which judges sounds", Cnn14.self)
    static let musicNN = judge("musicnn", "MusicNN, which judges music", MusicNN.self)
    static let passt = judge("passt", "PaSST, which judges sounds", PaSST.self)

    private static func judge(_ name: String, _ summary: String, _ network: any SoundJudge.Type) -> ModelFamily {
        let part = network.part
        return ModelFamily(name: name, summary: summary, requiredParts: [part], makesSounds: false) {
            $0[part] != nil
        }
    }

    /// Encoders by themselves, such as CLAP's.
    static let judges = ModelFamily(
        name: "judges", summary: "encoders without a denoiser", requiredParts: [], makesSounds: false
    ) { parts in
        ![PartName.unet, PartName.vae, PartName.vocoder].contains { parts[$0] != nil } && !parts.isEmpty
    }
}
