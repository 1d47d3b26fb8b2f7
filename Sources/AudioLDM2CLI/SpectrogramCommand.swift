import ArgumentParser
import AudioLDM2
import Glibc
import Terminal

struct SpectrogramCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spectrogram",
        abstract: "Draw a sound's mel spectrogram.",
        discussion: """
            EXAMPLES
              audioldm2 spectrogram rain.wav --output rain.png
            """)

    @Argument(help: "The sound: wav, flac, ogg, mp3 …", completion: .soundsToRead, transform: plainText)
    var file: String

    @Option(
        name: [.short, .long], help: "Where to write the picture: a name that ends in png.",
        completion: .pictures, transform: plainText)
    var output: String

    func validate() throws {
        try validatePicture(output, option: "--output")
        try requireDistinct(output: output, from: [file])
    }

    func run() throws {
        try AudioClip.checkSpectrogramWritable(output)
        try AudioClip(contentsOf: file).writeSpectrogram(to: output)
    }
}

/// - Throws: `ValidationError` for a name that does not end in .png.
func validatePicture(_ path: String, option: String) throws {
    guard path.lowercased().hasSuffix(".png") else {
        throw ValidationError("\(option) \(path): name a file that ends in .png.")
    }
}
