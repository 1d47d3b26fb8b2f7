import ArgumentParser
import AudioLDM2
import Terminal

/// What a speech model says.
struct SpeechFlags: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: "What a speech model is to say, in English; the prompt says who speaks. Needs libespeak-ng1.",
        transform: plainText)
    var transcription: String?

    @Option(
        parsing: .unconditional, help: "The same as phonemes, which needs nothing: \"wˈɪʃ juː hæv ɐ ɡˈʊd dˈeɪ\".",
        transform: plainText)
    var phonemes: String?

    func validate() throws {
        guard transcription == nil || phonemes == nil else {
            throw ValidationError("--transcription and --phonemes say the same: give one of them.")
        }
    }

    var speech: GenerationOptions.Speech? {
        transcription.map(GenerationOptions.Speech.text) ?? phonemes.map(GenerationOptions.Speech.phonemes)
    }
}
