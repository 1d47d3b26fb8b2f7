import Checkpoints

/// The parts of one kind of pipeline's checkpoint, by their names in `model_index.json`.
struct CheckpointLayout {
    /// In the order in which they work.
    let models: [String]
    let tokenizers: [String]
    /// What configures things that the runtime computes otherwise, or not yet.
    var ignored: [String] = []
    static let scheduler = "scheduler"

    /// By the class of the pipeline.
    private static let table = [
        "AudioLDM2Pipeline": CheckpointLayout(
            models: [
                "text_encoder", "text_encoder_2", "projection_model", "language_model", "unet", "vae", "vocoder",
            ], tokenizers: ["tokenizer", "tokenizer_2"], ignored: ["feature_extractor"]),
        "AudioLDMPipeline": CheckpointLayout(
            models: ["text_encoder", "unet", "vae", "vocoder"], tokenizers: ["tokenizer"]),
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
        let known = Set(layout.models + layout.tokenizers + [scheduler] + layout.ignored)
        if let unknown = folder.components.keys.filter({ !known.contains($0) }).min() {
            throw CheckpointError.invalidField(file: file, field: unknown, reason: "is a component of no known use")
        }
        return layout
    }
}
