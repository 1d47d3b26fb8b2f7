import ArgumentParser
import AudioLDM2Converter
import Terminal

/// Which checkpoint is meant, and what is added to it.
struct CheckpointArguments: ParsableArguments {
    @Argument(
        help: "The checkpoint: a folder, or one of the authors' files.", completion: .file(), transform: plainText)
    var checkpoint: String

    @Option(
        help: ArgumentHelp(
            "Takes a component (text_encoder, vae, scheduler, …) from its own or another checkpoint's folder.",
            valueName: "NAME=FOLDER"))
    var component: [ComponentArgument] = []

    @Option(
        help: ArgumentHelp("RoBERTa's tokenizer, for CLAP.", valueName: "FOLDER"), completion: .directory,
        transform: plainText)
    var tokenizer: String?

    @Option(
        name: .customLong("tokenizer-2"),
        help: ArgumentHelp(
            "The second text encoder's tokenizer: T5's, or phonemes, which the authors' files do without.",
            valueName: "FOLDER"),
        completion: .directory, transform: plainText)
    var tokenizer2: String?

    @Flag(help: "Authors' files: the UNet's moving average instead of its weights.")
    var ema = false

    @Option(
        help: ArgumentHelp(
            "Authors' files: the model's name, such as audioldm-l-full, where the file has another.", valueName: "MODEL"
        ), transform: plainText)
    var name: String?

    @Option(
        help: ArgumentHelp(
            "Authors' files: the training configuration, for models of your own: head width, schedule, lengths, rate.",
            valueName: "FILE.yaml"), completion: .file(), transform: plainText)
    var config: String?

    /// What is read.
    var files: [String?] { [checkpoint, tokenizer, tokenizer2, config] + component.map(\.folder) }

    func open() throws -> any Checkpoint {
        var input = CheckpointInput(path: checkpoint)
        let tokenizers = [("tokenizer", tokenizer), ("tokenizer_2", tokenizer2)]
        input.additions =
            component.map { ($0.name, $0.folder) } + tokenizers.compactMap { name, folder in folder.map { (name, $0) } }
        input.modelName = name
        input.configuration = config
        input.usesAverage = ema
        return try input.open()
    }
}
