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

    @Option(help: "A number that settles all chance. Default: a random one, which is printed.")
    var seed: UInt64?

    @OptionGroup var computing: ComputeOptions

    @OptionGroup var memory: MemoryOption

    @Flag(help: "Print a JSON object about the result on standard output.")
    var json = false

    @Flag(name: [.short, .long], help: "Print nothing but errors.")
    var quiet = false

    func validate() throws {
        try validateSoundFile(output)
    }

    /// Reads a sound, changes it, writes it and says so.
    func run(_ file: String, prompt: String, plan: EditPlan) async throws {
        try AudioClip.checkWritable(output)
        let clip = try AudioClip(contentsOf: file)
        let pipeline = try AudioLDM2Pipeline(modelAt: model, threads: computing.threads, device: computing.device)
        var options = try generation.options(for: pipeline)
        (options.seed, options.memoryLimit) = (seed, memory.limit)
        let events = pipeline.events(editing: clip, prompt, plan: plan, options: options)
        let work = Task { [quiet] in try await follow(events, quiet: quiet) }
        let interrupts = Interrupts { work.cancel() }
        defer { interrupts.stop() }
        do {
            let result = try await work.value
            try result.clip.write(to: output, record: result.record)
            if json {
                print(try Terminal.json(ResultSummary(result, output: output)))
            } else if !quiet {
                let total = result.stageSeconds.values.reduce(0, +)
                print(
                    String(
                        format: "%@: %.2f s of sound in %.1f s, seed %llu", output, result.clip.seconds, total,
                        result.seed))
            }
        } catch is CancellationError {
            if !quiet { printNote("stopped; nothing was written") }
            throw ExitCode(130)
        }
    }
}
