import Checkpoints

/// A component of the pack, and where the checkpoint keeps it.
package struct CheckpointPart: Hashable, Sendable {
    /// In the pack.
    package let name: String
    /// In the checkpoint, by its name in `model_index.json`.
    let folder: String
    private let kind: Kind

    private enum Kind: Hashable, Sendable {
        case whole
        /// A part of the folder's class that the pack keeps apart; a checkpoint without keys that start with the prefix
        /// does not have it.
        case aspect(String, keyPrefix: String)
        /// A folder that no published checkpoint has and no index names.
        case addition(className: String)
    }

    init(_ name: String) { (self.name, folder, kind) = (name, name, .whole) }

    init(_ name: String, aspect: String, of folder: String, keyPrefix: String) {
        (self.name, self.folder, kind) = (name, folder, .aspect(aspect, keyPrefix: keyPrefix))
    }

    init(_ name: String, className: String) {
        (self.name, folder, kind) = (name, name, .addition(className: className))
    }

    /// The reference class of the folder.
    func className(in checkpoint: DiffusersFolder) throws -> String {
        if case .addition(let className) = kind { return className }
        return try checkpoint.component(folder).className
    }

    /// The name under which models and mappings know what `className` holds here: `AutoencoderKL.encoder`.
    func modelName(_ className: String) -> String {
        if case .aspect(let aspect, _) = kind { return "\(className).\(aspect)" }
        return className
    }

    /// The weights; nil if this part can be missing and is.
    func weights(in checkpoint: DiffusersFolder) throws -> (any CheckpointSource)? {
        if case .addition = kind, !checkpoint.has("\(folder)/config.json") { return nil }
        let source = try checkpoint.weights(of: folder)
        if case .aspect(_, let prefix) = kind, !source.tensors.keys.contains(where: { $0.hasPrefix(prefix) }) {
            return nil
        }
        return source
    }
}

/// The parts of one kind of pipeline's checkpoint, by their names in `model_index.json`.
package struct CheckpointLayout: Sendable {
    /// In the order in which they work.
    let models: [CheckpointPart]
    let tokenizers: [String]

    /// What text to sound does without. Converted where the checkpoint has it, unless told otherwise.
    package static let extras = [
        CheckpointPart("vae_encoder", aspect: "encoder", of: "vae", keyPrefix: "encoder."),
        CheckpointPart("clap_audio", aspect: "audio", of: "text_encoder", keyPrefix: "audio_model."),
        CheckpointPart("audiomae", className: "AudioMAE"),
    ]
    static let scheduler = "scheduler"
    static let vocoder = "vocoder"
    /// The description of the VAE's spectrogram, which no folder has.
    static let mel = "mel"
    /// Configures what `clap_audio` hears; kept in the pack under this name.
    static let features = "feature_extractor"

    /// By the class of the pipeline.
    private static let table = [
        "AudioLDM2Pipeline": CheckpointLayout(
            models: [
                CheckpointPart("text_encoder"), CheckpointPart("text_encoder_2"), CheckpointPart("projection_model"),
                CheckpointPart("language_model"), CheckpointPart("unet"), CheckpointPart("vae"),
                CheckpointPart("vocoder"),
            ], tokenizers: ["tokenizer", "tokenizer_2"]),
        "AudioLDMPipeline": CheckpointLayout(
            models: [
                CheckpointPart("text_encoder"), CheckpointPart("unet"), CheckpointPart("vae"),
                CheckpointPart("vocoder"),
            ], tokenizers: ["tokenizer"]),
    ]

    /// - Throws: `CheckpointError.invalidField` for another pipeline, or one with parts that are not known.
    static func of(_ folder: DiffusersFolder) throws -> CheckpointLayout {
        let file = "model_index.json"
        guard let layout = table[folder.pipelineClass] else {
            throw CheckpointError.invalidField(
                file: file, field: "_class_name",
                reason: "is \(folder.pipelineClass.quoted); only "
                    + table.keys.sorted().joined(separator: " and ") + " can be converted")
        }
        let known = Set(
            layout.models.map(\.folder) + extras.map(\.folder) + layout.tokenizers + [scheduler, features])
        if let unknown = folder.components.keys.filter({ !known.contains($0) }).min() {
            throw CheckpointError.invalidField(file: file, field: unknown, reason: "is a component of no known use")
        }
        return layout
    }
}
