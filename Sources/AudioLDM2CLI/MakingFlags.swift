import ArgumentParser
import AudioLDM2
import CommandOptions
import Terminal

/// What every command takes that makes one sound, of a prompt or of another sound.
struct MakingFlags: ParsableArguments {
    @OptionGroup var model: ModelOption

    @OptionGroup var generation: GenerationFlags

    @OptionGroup var conditioning: ConditionFlags

    @OptionGroup var speech: SpeechFlags

    @OptionGroup var ranking: CandidateFlags

    @OptionGroup var storing: BitsOption

    @Option(parsing: .unconditional, help: "A number that settles all chance. Default: a random one, which is printed.")
    var seed: UInt64?

    @OptionGroup var computing: ComputeOptions

    @OptionGroup var memory: MemoryOption

    @Flag(name: [.short, .long], help: "Say what the system allows, what computes, and how memory will be used.")
    var verbose = false

    @Flag(
        help:
            "Print a JSON object about the result on standard output: of candidates an array; to standard error where the sound goes to standard output."
    )
    var json = false

    @Flag(name: [.short, .long], help: "Print nothing but errors.")
    var quiet = false

    /// - Throws: `ValidationError` if nothing says what the sound should be.
    func validate(prompt: String) throws {
        guard conditioning.saysSomething || prompt.contains(where: { !$0.isWhitespace }) else {
            throw ValidationError("The prompt is empty: say what the sound should be.")
        }
        guard ranking.candidates == 1 || !prompt.isEmpty else {
            throw ValidationError("--candidates needs a prompt.")
        }
    }

    /// - Parameter input: the sound that will be changed.
    /// - Throws: `ValidationError` if writing `output` would replace what it is made from.
    func requireOwnOutput(_ output: String, input: String? = nil) throws {
        try requireDistinct(
            output: output, from: [try? model.path, input, conditioning.audioPrompt, conditioning.condition])
    }

    /// Opens the model and settles all options, the seed included.
    /// - Parameter others: settings that only some commands have.
    func open(
        prompt: String, _ others: SoundSettings = .init()
    ) async throws -> (AudioLDM2Pipeline, SoundOptions) {
        let pipeline = try await computing.pipeline(modelAt: model.path, quiet: quiet)
        if verbose {
            printNote("\(SystemLimits.current)")
            printNote("computing: \(pipeline.instructionSet), \(pipeline.threads) threads")
            if let note = pipeline.deviceNote { printNote(note) }
        }
        if ranking.candidates > 1, !quiet { model.noteHowItJudges() }
        var settings = others.over(speech.settings.over(generation.settings))
        settings.seed = seed ?? UInt64.random(in: 0...UInt64(UInt32.max))
        settings.audioWeight = conditioning.audioWeight
        settings.encoding = storing.bits
        var options = try settings.flagOptions(for: pipeline)
        options.memoryLimit = memory.limit
        options.condition = try await conditioning.load(pipeline, prompt: prompt)
        return (pipeline, options)
    }
}
