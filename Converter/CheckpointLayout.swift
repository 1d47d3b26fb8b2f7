import Checkpoints

/// The parts of an AudioLDM 2 checkpoint, by their names in `model_index.json`.
enum CheckpointLayout {
    /// In the order in which they work.
    static let models = [
        "text_encoder", "text_encoder_2", "projection_model", "language_model", "unet", "vae", "vocoder",
    ]
    static let tokenizers = ["tokenizer", "tokenizer_2"]
    static let scheduler = "scheduler"
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
        let known = Set(models + tokenizers + [scheduler] + ignored)
        if let unknown = folder.components.keys.filter({ !known.contains($0) }).min() {
            throw CheckpointError.invalidField(file: file, field: unknown, reason: "is a component of no known use")
        }
    }
}
