import Diffusion
import Tokenizers
import WeightFile

/// An opened model file of any family: its parts, and what it says of itself. It may make sounds, or only judge them.
package struct ModelFile: Sendable {
    package let pack: Pack
    package let family: ModelFamily
    /// Nil if the file does not say.
    package let profile: ReferenceProfile?
    /// What it says of how its sounds are made.
    package let defaults: ModelDefaults
    /// Nil if the file does not say.
    package let vocabulary: PromptVocabulary?

    /// - Throws: `PackError`, `ConfigError`; `AudioLDM2Error` for a family or profile that this version does not know.
    package init(opening path: String) throws { try self.init(Pack(opening: path)) }

    package init(_ pack: Pack) throws {
        self.pack = pack
        family = try ModelFamily(of: pack)
        profile = try pack.profile()
        defaults = try pack.defaults()
        vocabulary = try pack.vocabulary()
    }
}

/// A model file, as somebody sees it who needs more or less of it.
package protocol OpenedModel: Sendable {
    var file: ModelFile { get }
}

extension ModelFile: OpenedModel {
    package var file: ModelFile { self }
}

extension OpenedModel {
    package var pack: Pack { file.pack }

    /// Parts that read texts and were left out of the file.
    package var missingTextEncoders: [String] {
        PartName.textEncoders.filter { pack.component($0)?.tensors.isEmpty == true }
    }

    /// - Throws: `AudioLDM2Error` of kind `.invalidOption` for a model that was made without its text encoders.
    package func requireTextEncoders() throws {
        let missing = missingTextEncoders
        guard missing.isEmpty else {
            throw AudioLDM2Error(
                .invalidOption,
                "\(pack.path): was made without \(missing.joined(separator: ", ")), so it cannot read a prompt; give it a "
                    + "condition (--condition FILE) that 'audioldm2 encode' saved with the whole model")
        }
    }

    /// - Throws: also if the model was converted from a file that holds no tokenizers, and none was added.
    package func tokenizer(_ name: String) throws -> any Tokenizer {
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
    fileprivate func profile() throws -> ReferenceProfile? {
        guard let name = note(ReferenceProfile.note) else { return nil }
        guard let profile = ReferenceProfile(rawValue: name) else {
            let known = ReferenceProfile.allCases.map(\.rawValue).joined(separator: ", ")
            throw AudioLDM2Error(
                .modelFile, "\(path): its profile is \(name.quoted), but this version knows only \(known)")
        }
        return profile
    }

    /// What the checkpoint said of how its sounds are made.
    package func defaults() throws -> ModelDefaults {
        guard blobs.contains(where: { $0.name == ModelDefaults.blobName }) else { return ModelDefaults() }
        return try ModelDefaults(reading: blob(ModelDefaults.blobName))
    }

    /// What the file notes under a name; nil for nothing.
    package func note(_ key: String) -> String? { provenance.first { $0.key == key }?.value }

    /// A component's configuration, decoded and validated.
    package func config<Config: ModelConfig>(_ component: String) throws -> Config {
        try Config.read(requiredComponent(component).config, component: component)
    }

    /// Class and configuration of every component, by name.
    package var descriptions: [String: PackIndex.Component] {
        let parts = components.map {
            ($0.name, PackIndex.Component(name: $0.name, className: $0.className, config: $0.config))
        }
        return Dictionary(parts) { first, _ in first }
    }
}

extension ReferenceProfile {
    /// The name under which a model file notes it.
    package static let note = "profile"
}
