import ArgumentParser
import AudioLDM2
import Terminal

/// What is done with sounds that are made of nothing, once they are there.
struct FinishFlags: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: """
            Fade the end of the sound over this many seconds, and its start over a fifth of them. Default: the model's choice, \
            or 0.
            """)
    var fade: Double?

    @Option(parsing: .unconditional, help: "Fade the start of the sound over this many seconds instead.")
    var fadeIn: Double?

    @Option(parsing: .unconditional, help: "Fade the end of the sound over this many seconds instead.")
    var fadeOut: Double?

    @Flag(help: "Cut silence (below −60 dB of the highest peak) at the sound's ends, but for a hundredth of a second.")
    var trimSilence = false

    @Option(
        help: ArgumentHelp(
            """
            Bring the sound to a level: peak:-1 (decibels of full scale), or lufs:-16 (loudness by ITU-R BS.1770, as far as \
            peaks stay below −1 dB). Default: as it comes out.
            """, valueName: "level"))
    var normalize: SoundOptions.Normalization?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Bring the sound to this sample rate, 4000 to 192000. Default: the model's.", valueName: "Hz"))
    var sampleRate: Int?

    @Option(
        parsing: .unconditional,
        help: """
            How often to try the next seed when a sound comes out silent; not of what goes to the standard output, and not \
            of candidates. Default: the model's choice, or 0.
            """)
    var retries: Int?

    func validate() throws { try settings.validate() }

    var settings: SoundSettings {
        var settings = SoundSettings()
        settings.fadeSeconds = fade
        settings.fadeInSeconds = fadeIn
        settings.fadeOutSeconds = fadeOut
        settings.trimsSilence = trimSilence ? true : nil
        settings.normalization = normalize
        settings.sampleRate = sampleRate
        settings.silenceRetries = retries
        return settings
    }
}

/// `--bits`, the same for every command that writes sounds.
struct BitsOption: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: "How samples are stored in wav, flac and aiff files: 16, 24, or float (not in flac). Default: 16.",
        transform: { text in
            guard let encoding = SoundFormat.Encoding(bits: text) else {
                throw ValidationError("choose 16, 24 or float.")
            }
            return encoding
        })
    var bits: SoundFormat.Encoding?
}

extension SoundOptions.Normalization: ExpressibleByArgument {}
