import ArgumentParser
import AudioLDM2

/// What is done with sounds that are made of nothing, once they are there.
struct FinishFlags: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: "Fade the end of the sound over this many seconds. Default: the model's choice, or 0.")
    var fade: Double?

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
        settings.silenceRetries = retries
        return settings
    }
}
