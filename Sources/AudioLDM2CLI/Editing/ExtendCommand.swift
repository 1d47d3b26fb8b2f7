import ArgumentParser
import AudioLDM2
import Terminal

struct ExtendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "extend",
        abstract: "Go on where a sound ends.",
        discussion: """
            EXAMPLES
              audioldm2 extend intro.wav "slow piano" -o longer.wav --seconds 10
            """)

    @Argument(help: "The sound: wav, flac, ogg, mp3 …", completion: .soundsToRead, transform: plainText)
    var file: String

    @Argument(help: "What follows.", transform: plainText)
    var prompt = ""

    @Option(parsing: .unconditional, help: "How much is added, in seconds.")
    var seconds: Double

    @OptionGroup var editing: EditFlags

    func validate() throws {
        try editing.making.validate(prompt: prompt)
        guard SoundOptions.secondsRange.contains(seconds) else {
            throw ValidationError("--seconds \(seconds): choose 0.1 to 3600.")
        }
    }

    func run() async throws { try await editing.run(file, prompt: prompt, plan: .extend(by: seconds)) }
}
