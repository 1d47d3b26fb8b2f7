import WeightFile

/// Models that listen and make no sounds.
extension ModelFamily {
    /// Encoders by themselves, such as CLAP's.
    static let judges = ModelFamily(
        name: "judges", summary: "encoders without a denoiser", requiredParts: [], makesSounds: false
    ) { parts in
        ![PartName.unet, PartName.vae, PartName.vocoder].contains { parts[$0] != nil } && !parts.isEmpty
    }
}
