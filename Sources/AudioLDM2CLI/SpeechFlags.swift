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
        parsing: .unconditional, help: "The same, given as phonemes; needs no library: \"wˈɪʃ juː hæv ɐ ɡˈʊd dˈeɪ\".",
        transform: plainText)
    var phonemes: String?

    func validate() throws { try settings.validate() }

    var settings: SoundSettings {
        var settings = SoundSettings()
        settings.transcription = transcription
        settings.phonemes = phonemes
        return settings
    }
}
