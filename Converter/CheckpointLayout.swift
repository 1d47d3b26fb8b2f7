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

/// The parts of one kind of pipeline's checkpoint, by their names in `model_index.json`.
package struct CheckpointLayout: Sendable {
    /// In the order in which they work.
    let models: [CheckpointPart]
    let tokenizers: [String]
    /// What configures things that the runtime computes otherwise, or not yet.
    var ignored: [String] = []

    /// What text to sound does without. Converted where the checkpoint has it, unless told otherwise.
    package static let extras = [
        CheckpointPart("vae_encoder", of: "vae", aspect: .init(name: "encoder", keyPrefix: "encoder."))
    ]
    static let scheduler = "scheduler"
    static let vocoder = "vocoder"
    /// The description of the VAE's spectrogram, which no folder has.
    static let mel = "mel"

    /// By the class of the pipeline.
    private static let table = [
        "AudioLDM2Pipeline": CheckpointLayout(
            models: [
                CheckpointPart("text_encoder"), CheckpointPart("text_encoder_2"), CheckpointPart("projection_model"),
                CheckpointPart("language_model"), CheckpointPart("unet"), CheckpointPart("vae"),
                CheckpointPart("vocoder"),
            ], tokenizers: ["tokenizer", "tokenizer_2"], ignored: ["feature_extractor"]),
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
        let known = Set(layout.models.map(\.folder) + layout.tokenizers + [scheduler] + layout.ignored)
        if let unknown = folder.components.keys.filter({ !known.contains($0) }).min() {
            throw CheckpointError.invalidField(file: file, field: unknown, reason: "is a component of no known use")
        }
        return layout
    }
}
