import WeightFile

extension Model {
    /// What a model file may hold beside what makes sound from text.
    struct OptionalPart: Sendable {
        /// In the file.
        let name: String
        /// In messages.
        let title: String

        static let vaeEncoder = OptionalPart(name: "vae_encoder", title: "VAE encoder")
    }

    /// The blob that describes the VAE's spectrogram.
    static let melName = "mel"

    func has(_ part: OptionalPart) -> Bool { pack.component(part.name) != nil }

    /// - Throws: `AudioLDM2Error` of kind `.modelFile` that says what to do if the part is not there.
    func require(_ part: OptionalPart) throws {
        guard has(part) else { throw missing(part.title, "component '\(part.name)'") }
    }

    /// - Throws: `AudioLDM2Error` of kind `.modelFile` for a file that does not say, `ConfigError`.
    func melConfig() throws -> MelConfig {
        guard pack.blobs.contains(where: { $0.name == Self.melName }) else {
            throw missing("description of its mel spectrogram", "'\(Self.melName)'")
        }
        return try MelConfig.read(pack.blob(Self.melName), component: Self.melName)
    }

    private func missing(_ title: String, _ name: String) -> AudioLDM2Error {
        AudioLDM2Error(
            .modelFile,
            "\(pack.path): has no \(title) (\(name)), which this needs; convert the checkpoint again, with a current "
                + "audioldm2-convert and without leaving it out")
    }
}
