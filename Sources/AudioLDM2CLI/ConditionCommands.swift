import ArgumentParser
import AudioLDM2
import CommandOptions
import Terminal

struct EncodeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "encode",
        abstract: "Save what a model makes of a prompt, to generate from it without the model's encoders.",
        discussion: """
            EXAMPLES
              audioldm2 encode "a cow" -o cow.cond
              audioldm2 generate --condition cow.cond -o cow.wav --seed 3
            """)

    @Argument(help: "What the sound should be.", transform: plainText)
    var prompt: String

    @OptionGroup var model: ModelOption

    @Option(name: [.short, .long], help: "Where to write the condition.", completion: .tensors, transform: plainText)
    var output: String

    @Option(parsing: .unconditional, help: "What the sound should not be.", transform: plainText)
    var negativePrompt = ""

    @Option(
        help: """
            Guidance leads away from the language of audio that GPT-2 makes of the negative prompt (diffusers), or from \
            zeros (authors). Default: what the model was converted for.
            """)
    var profile: ReferenceProfile?

    @OptionGroup var speech: SpeechFlags

    @OptionGroup var computing: ComputeOptions

    @Flag(name: [.short, .long], help: "Print nothing but errors.")
    var quiet = false

    func validate() throws {
        try requireDistinct(output: output, from: [try? model.path])
    }

    func run() async throws {
        try SoundCondition.checkWritable(output)
        let pipeline = try await computing.pipeline(modelAt: model.path, quiet: quiet)
        var settings = speech.settings
        settings.negativePrompt = negativePrompt
        settings.profile = profile
        let options = try settings.options()
        let isQuiet = quiet
        let command = self
        try await untilInterrupted(note: quiet ? nil : "nothing was written") {
            let condition = try await pipeline.condition(for: command.prompt, options: options) {
                if !isQuiet { printWarning($0) }
            }
            try condition.write(to: command.output)
        }
        if !quiet { print("\(output): what the model makes of \"\(prompt)\"") }
    }
}

struct LanguageOfAudioCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "loa",
        abstract: "Save the language of audio of a sound, to generate sounds like it.",
        discussion: """
            AudioMAE makes eight vectors of a sound's first ten seconds, the same that a prompt becomes on its way.

            EXAMPLES
              audioldm2 loa rain.flac -o rain.cond
              audioldm2 generate "heavy rain" --condition rain.cond -o more.wav
            """)

    @Argument(help: "A sound file.", completion: .soundsToRead, transform: plainText)
    var file: String

    @OptionGroup var model: ModelOption

    @Option(name: [.short, .long], help: "Where to write the condition.", completion: .tensors, transform: plainText)
    var output: String

    @OptionGroup var computing: ComputeOptions

    @Flag(name: [.short, .long], help: "Print nothing but errors.")
    var quiet = false

    func validate() throws {
        try requireDistinct(output: output, from: [try? model.path, file])
    }

    func run() async throws {
        try SoundCondition.checkWritable(output)
        let pipeline = try await computing.pipeline(modelAt: model.path, quiet: quiet)
        let command = self
        try await untilInterrupted(note: quiet ? nil : "nothing was written") {
            let isQuiet = command.quiet
            try await pipeline.languageOfAudio(of: command.file, notice: { if !isQuiet { printWarning($0) } })
                .write(to: command.output)
        }
        if !quiet { print("\(output): the language of audio of \(file)") }
    }
}
