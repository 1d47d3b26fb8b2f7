import ArgumentParser
import AudioLDM2
import Foundation
import Terminal

/// What every command that changes a sound takes.
struct EditFlags: ParsableArguments {
    @Option(name: [.short, .long], help: "The model file.")
    var model: String

    @Option(name: [.short, .long], help: "Where to write the sound; the extension says how: wav, flac or ogg.")
    var output: String

    @OptionGroup var generation: GenerationFlags

    @OptionGroup var conditioning: ConditionFlags

    @OptionGroup var speech: SpeechFlags

    @OptionGroup var ranking: CandidateFlags

    @Option(parsing: .unconditional, help: "A number that settles all chance. Default: a random one, which is printed.")
    var seed: UInt64?

    @OptionGroup var computing: ComputeOptions

    @OptionGroup var memory: MemoryOption

    @Flag(name: [.short, .long], help: "Say how memory will be used.")
    var verbose = false

    @Flag(help: "Print a JSON object about the result on standard output.")
    var json = false

    @Flag(name: [.short, .long], help: "Print nothing but errors.")
    var quiet = false

    func validate() throws {
        try validateSoundFile(output)
    }

    /// - Throws: `ValidationError` if nothing says what the sound should become.
    func validate(prompt: String) throws {
        guard conditioning.saysSomething || prompt.contains(where: { !$0.isWhitespace }) else {
            throw ValidationError("The prompt is empty: say what the sound should be.")
        }
        guard ranking.candidates == 1 || !prompt.isEmpty else {
            throw ValidationError("--candidates needs a prompt.")
        }
    }

    /// Reads a sound, changes it, writes it and says so.
    func run(_ file: String, prompt: String, plan: EditPlan) async throws {
        try requireDistinct(output: output, from: [model, file, conditioning.audioPrompt, conditioning.condition])
        try AudioClip.checkWritable(output)
        let pipeline = try AudioLDM2Pipeline(modelAt: model, threads: computing.threads, device: computing.device)
        var options = try generation.options(for: pipeline)
        (options.seed, options.memoryLimit, options.speech) = (seed, memory.limit, speech.speech)
        (options.condition, options.audioWeight) = (
            try conditioning.load(pipeline, prompt: prompt), conditioning.audioWeight
        )
        let clip = try AudioClip(contentsOf: file, memoryLimit: memory.limit)
        let (flags, chosen) = (self, options)
        try await untilInterrupted(note: quiet ? nil : "nothing was written") {
            if flags.ranking.candidates > 1 {
                let count = flags.ranking.candidates
                let events = pipeline.events(
                    ranking: count, keeping: flags.ranking.keep, editing: clip, prompt, plan: plan, options: chosen)
                let kept = try await follow(events, count: count, quiet: flags.quiet, verbose: flags.verbose)
                try writeRanked(kept, to: flags.output, json: flags.json, quiet: flags.quiet)
            } else {
                let events = pipeline.events(editing: clip, prompt, plan: plan, options: chosen)
                try flags.write(try await follow(events, quiet: flags.quiet, verbose: flags.verbose))
            }
        }
    }

    private func write(_ result: GenerationResult) throws {
        try result.clip.write(to: output, record: result.record)
        if json {
            print(try Terminal.json(ResultSummary(result, output: output)))
        } else if !quiet {
            let total = result.stageSeconds.values.reduce(0, +)
            print(
                String(
                    format: "%@: %.2f s of sound in %.1f s, seed %llu", output, result.clip.seconds, total, result.seed
                ))
        }
    }
}
