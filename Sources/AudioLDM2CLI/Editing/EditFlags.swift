import ArgumentParser
import AudioLDM2
import Foundation
import Terminal

/// What every command that changes a sound takes.
struct EditFlags: ParsableArguments {
    @Option(
        name: [.short, .long], help: "Where to write the sound; the extension says how: wav, flac or ogg.",
        transform: plainText)
    var output: String

    @OptionGroup var making: MakingFlags

    func validate() throws {
        try validateSoundFile(output)
    }

    /// Reads a sound, changes it, writes it and says so.
    func run(_ file: String, prompt: String, plan: EditPlan) async throws {
        try making.requireOwnOutput(output, input: file)
        try making.ranking.checkWritable(output)
        let (pipeline, options) = try making.open(prompt: prompt)
        let clip = try AudioClip(contentsOf: file, memoryLimit: making.memory.limit)
        try pipeline.checkWritable(output, editing: clip, plan: plan)
        let flags = self
        try await untilInterrupted(note: making.quiet ? nil : "nothing was written") {
            let (making, ranking) = (flags.making, flags.making.ranking)
            if ranking.candidates > 1 {
                let events = pipeline.events(
                    ranking: ranking.candidates, keeping: ranking.keep, editing: clip, prompt, plan: plan,
                    options: options)
                let kept = try await follow(
                    events, count: ranking.candidates, quiet: making.quiet, verbose: making.verbose)
                try writeRanked(kept, to: flags.output, json: making.json, quiet: making.quiet)
            } else {
                let events = pipeline.events(editing: clip, prompt, plan: plan, options: options)
                try flags.write(try await follow(events, quiet: making.quiet, verbose: making.verbose))
            }
        }
    }

    private func write(_ result: GenerationResult) throws {
        try AudioLDM2CLI.write(result, to: output, quiet: making.quiet)
        if making.json {
            print(try Terminal.json(ResultSummary(result, output: output)))
        } else if !making.quiet {
            let total = result.stageSeconds.values.reduce(0, +)
            print(
                String(
                    format: "%@: %.2f s of sound in %.1f s, seed %llu", output, result.clip.seconds, total, result.seed
                ))
        }
    }
}
