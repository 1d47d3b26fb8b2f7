import ArgumentParser
import AudioLDM2
import Terminal

struct UpsampleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upsample",
        abstract: "Make the high frequencies that a sound lacks.",
        discussion: """
            EXAMPLES
              audioldm2 upsample telephone.wav -o clear.wav
              audioldm2 upsample old.flac -o new.flac --above 4000 --prompt "a violin"
            """)

    @Argument(help: "The sound: wav, flac, ogg, mp3 …", completion: .soundsToRead, transform: plainText)
    var file: String

    @Option(parsing: .unconditional, help: "What the sound is.", transform: plainText)
    var prompt = ""

    @Option(
        parsing: .unconditional, help: "Make everything above this frequency, in Hz. Default: what the sound reaches.")
    var above: Double?

    @OptionGroup var editing: EditFlags

    func validate() throws {
        guard editing.making.ranking.candidates == 1 || !prompt.isEmpty else {
            throw ValidationError("--candidates needs a --prompt.")
        }
        if let above, !(above > 0 && above.isFinite) {
            throw ValidationError("--above \(above): choose a frequency in Hz.")
        }
    }

    func run() async throws { try await editing.run(file, prompt: prompt, plan: .upsample(above: above)) }
}
