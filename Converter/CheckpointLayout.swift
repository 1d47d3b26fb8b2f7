import Checkpoints

/// A component of the pack, and where the checkpoint keeps it.
package struct CheckpointPart: Hashable, Sendable {
    /// In the pack.
    package let name: String
    /// In the checkpoint, by its name in `model_index.json`.
    let folder: String
    /// Which part of the folder's class this is, where the pack keeps parts of one class apart.
    let aspect: Aspect?

    /// A part of a model that can be left out.
    struct Aspect: Hashable, Sendable {
        /// Set behind the class's name where models and mappings are looked up: `AutoencoderKL.encoder`.
        let name: String
        /// What the keys of its tensors start with; a checkpoint without such keys does not have it.
        let keyPrefix: String
    }

    init(_ name: String, of folder: String? = nil, aspect: Aspect? = nil) {
        self.name = name
        self.folder = folder ?? name
        self.aspect = aspect
    }

    /// The name under which models and mappings know what `className` holds here.
    func modelName(_ className: String) -> String { aspect.map { "\(className).\($0.name)" } ?? className }

    /// Whether a checkpoint that keeps the folder's other parts in `source` has this one.
    func isPresent(in source: any CheckpointSource) -> Bool {
        guard let aspect else { return true }
        return source.tensors.keys.contains { $0.hasPrefix(aspect.keyPrefix) }
    }
}

/// The parts of an AudioLDM 2 checkpoint, by their names in `model_index.json`.
package enum CheckpointLayout {
    /// In the order in which they work.
    static let models = [
        CheckpointPart("text_encoder"), CheckpointPart("text_encoder_2"), CheckpointPart("projection_model"),
        CheckpointPart("language_model"), CheckpointPart("unet"), CheckpointPart("vae"), CheckpointPart("vocoder"),
    ]
    /// What text to sound does without. Converted where the checkpoint has it, unless told otherwise.
    package static let extras = [
        CheckpointPart("vae_encoder", of: "vae", aspect: .init(name: "encoder", keyPrefix: "encoder."))
    ]
    static let tokenizers = ["tokenizer", "tokenizer_2"]
    static let scheduler = "scheduler"
    static let vocoder = "vocoder"
    /// The description of the VAE's spectrogram, which no folder has.
    static let mel = "mel"
    /// Configures what the runtime computes otherwise, or not yet.
    private static let ignored = ["feature_extractor"]

    /// - Throws: `CheckpointError.invalidField` for another pipeline, or one with parts that are not known.
    static func check(_ folder: DiffusersFolder) throws {
        let file = "model_index.json"
        guard folder.pipelineClass == "AudioLDM2Pipeline" else {
            throw CheckpointError.invalidField(
                file: file, field: "_class_name",
                reason: "is \(folder.pipelineClass.quoted); only AudioLDM2Pipeline can be converted")
        }
        let known = Set(models.map(\.folder) + tokenizers + [scheduler] + ignored)
        if let unknown = folder.components.keys.filter({ !known.contains($0) }).min() {
            throw CheckpointError.invalidField(file: file, field: unknown, reason: "is a component of no known use")
        }
    }
}
