import ArgumentParser
import AudioLDM2
import Glibc
import Terminal
import Text

/// What every command that changes a sound takes.
struct EditFlags: ParsableArguments {
    @Option(
        name: [.short, .long],
        help: "Where to write the sound; the extension says how: wav, flac, ogg, opus, mp3 or aiff.",
        completion: .sounds, transform: plainText)
    var output: String

    @OptionGroup var making: MakingFlags

    func validate() throws {
        try validateSoundFile(output)
    }

    /// Reads a sound, changes it, writes it and says so.
    func run(_ file: String, prompt: String, plan: EditPlan) async throws {
        try making.requireOwnOutput(output, input: file)
        try making.ranking.checkWritable(output)
        let (pipeline, options) = try await making.open(prompt: prompt)
        let sound = try EditableSound(contentsOf: file)
        let part = try pipeline.part(of: sound, plan: plan, options: options)
        let clip = try sound.clip(part, memoryLimit: making.memory.limit)
        try pipeline.checkWritable(output, editing: clip, plan: plan, encoding: making.storing.bits)
        let edit = PartialEdit(sound: sound, part: part)
        let flags = self
        try await untilInterrupted(note: making.quiet ? nil : "nothing was written") {
            let (making, ranking) = (flags.making, flags.making.ranking)
            if ranking.candidates > 1 {
                let events = pipeline.events(
                    ranking: ranking.candidates, keeping: ranking.keep, editing: clip, prompt, plan: part.plan,
                    options: options)
                let kept = try await follow(
                    events, count: ranking.candidates, quiet: making.quiet, verbose: making.verbose)
                try writeRanked(kept, to: flags.output, json: making.json, quiet: making.quiet, edit.write)
            } else {
                let events = pipeline.events(editing: clip, prompt, plan: part.plan, options: options)
                let result = try await follow(events, quiet: making.quiet, verbose: making.verbose)
                try flags.report(edit.write(result, to: flags.output, quiet: making.quiet))
            }
        }
    }

    private func report(_ result: SoundResult) throws {
        if making.json {
            print(try Terminal.json(ResultSummary(result, output: output)))
        } else if !making.quiet {
            let total = result.stageSeconds.values.reduce(0, +)
            print(
                output
                    + String(
                        printf: ": %.2f s of sound in %.1f s, seed %llu", result.record.seconds, total, result.seed))
        }
    }
}

/// A sound of which a part is changed: written whole.
private final class PartialEdit: @unchecked Sendable {
    // Unchecked: one thread at a time, the one that writes.
    private let sound: EditableSound
    private let part: EditPart

    init(sound: EditableSound, part: EditPart) { (self.sound, self.part) = (sound, part) }

    /// - Returns: the result as one of the whole sound.
    func write(_ result: SoundResult, to file: String, quiet: Bool) throws -> SoundResult {
        let whole = part.completed(result)
        warnOfClipping(try sound.write(whole, inPlaceOf: part, to: file), file, quiet: quiet)
        return whole
    }
}
