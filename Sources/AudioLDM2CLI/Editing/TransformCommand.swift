import ArgumentParser
import AudioLDM2
import Terminal

struct TransformCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "transform",
        abstract: "Turn a sound into another one that keeps its course.",
        discussion: """
            EXAMPLES
              audioldm2 transform hum.wav "a violin" -o violin.wav
              audioldm2 transform hum.wav "a choir" -o choir.wav --strength 0.7

            The result has one channel, at the model's sample rate: nothing of the sound itself is left. The other commands \
            that change sounds keep its channels and, but for upsample, its rate.

            The model file must hold the VAE's encoder, as those do that audioldm2-convert makes.
            """)

    @Argument(help: "The sound: wav, flac, ogg, mp3 …", completion: .soundsToRead, transform: plainText)
    var file: String

    @Argument(help: "What it should become.", transform: plainText)
    var prompt = ""

    @Option(parsing: .unconditional, help: "How far it may go from what it was, above 0 and up to 1.")
    var strength = 0.5

    @OptionGroup var editing: EditFlags

    func validate() throws {
        try editing.making.validate(prompt: prompt)
        guard strength > 0, strength <= 1 else {
            throw ValidationError("--strength \(strength): choose a number above 0, up to 1.")
        }
    }

    func run() async throws { try await editing.run(file, prompt: prompt, plan: .transform(strength: strength)) }
}
