import ArgumentParser
import AudioLDM2
import Batches
import CommandOptions
import Files
import Glibc
import Terminal

struct BatchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "batch",
        abstract: "Make a sound for every line of a file.",
        discussion: """
            Each line is a JSON object: "prompt", and any of "negative" (or "negative_prompt"), "seconds", "seed", "steps", "guidance_scale", \
            "guidance_rescale", "guidance_interval", "scheduler", "quality", "eta", "vocoder", "window", "loop", "fade", "fade_in", "fade_out", \
            "trim_silence", "normalize", "sample_rate", "bits", "retries", "profile", \
            "transcription", "phonemes", "audio_prompt" (a sound file), "audio_weight", "condition" (a saved one; then there may be no prompt), "candidates" (the best is kept), \
            "output" (a file name). What a line leaves out comes from the options here, where there is one.

            EXAMPLES
              audioldm2 batch prompts.jsonl --output-dir out
              audioldm2 batch prompts.jsonl --output-dir out --shard 2/8
              audioldm2 batch prompts.jsonl --output-dir out --shard auto      # in a job array
              audioldm2 batch prompts.jsonl --output-dir out --merge           # when all of them are done
              make-prompts | audioldm2 batch - --output-dir out

            The folder's manifest.jsonl (of a shard manifest-2-of-8.jsonl) says what became of each line. Started again, the command makes only what is \
            not there yet. A line that fails does not stop the others; if any fails, the command exits with 1.
            """)

    @Argument(
        help: "The file with a JSON object per line; \"-\" is the standard input, whose lines are made as they come.",
        completion: .file(), transform: plainText)
    var prompts: String

    @OptionGroup var model: ModelOption

    @Option(
        name: [.short, .long], help: "Where to write the sounds and the manifest; made if it is not there.",
        completion: .directory, transform: plainText)
    var outputDir: String

    @Option(help: "What the sounds' names end in unless a line names an output: wav, flac, ogg, opus, mp3 or aiff.")
    var format = "wav"

    @Option(parsing: .unconditional, help: "Length in seconds. Default: what the model was trained on.")
    var seconds: Double?

    @OptionGroup var generation: GenerationFlags

    @OptionGroup var finish: FinishFlags

    @OptionGroup var storing: BitsOption

    @Flag(help: "Make sounds that repeat without a click.")
    var loop = false

    @Option(parsing: .unconditional, help: "The first line's seed; each line after it takes the next number.")
    var seed: UInt64 = 0

    @Option(
        help: """
            Make only the I-th of N equal parts, as "I/N": for several machines or jobs. "auto" takes both from a job array of \
            Slurm, or from an indexed Job of Kubernetes and the variable AUDIOLDM2_SHARDS.
            """, transform: Shard.init(text:))
    var shard = Shard()

    @Flag(
        help: """
            Make nothing, but join the manifests of all shards in the folder to manifest.jsonl, in the order of the lines, and \
            say which are missing; if any is, the command exits with 1.
            """)
    var merge = false

    @Option(
        parsing: .unconditional, help: "How many sounds are made together: weights are loaded once for all of them.")
    var together = 8

    @OptionGroup var computing: ComputeOptions

    @OptionGroup var memory: MemoryOption

    @Option(
        help: ArgumentHelp(
            """
            Memory in which weights stay from sound to sound, such as 800M, beside what a sound takes; within \
            --memory-limit, if there is one. Default: none, each group of sounds loads them again.
            """, valueName: "size"),
        transform: MemoryOption.bytes)
    var keepWeights: Int?

    @Flag(help: "Print a JSON object about the whole on standard output.")
    var json = false

    @Flag(name: [.short, .long], help: "Print nothing but errors.")
    var quiet = false

    func validate() throws {
        guard AudioClip.fileExtensions.contains(format) else {
            throw ValidationError(
                "--format \(format): choose " + AudioClip.fileExtensions.joined(separator: ", ") + ".")
        }
        guard !merge || shard.count == 1 else {
            throw ValidationError("--merge joins all shards: leave --shard out.")
        }
        guard (1...1000).contains(together) else {
            throw ValidationError("--together \(together): choose 1 to 1000.")
        }
        try settings.validate()
    }

    /// What was said for all lines.
    private var settings: SoundSettings {
        var settings = finish.settings.over(generation.settings)
        settings.seconds = seconds
        settings.loops = loop
        settings.encoding = storing.bits
        return settings
    }

    func run() async throws {
        if merge { return try mergeManifests() }
        do {
            try FileName.makeFolder(outputDir)
        } catch {
            throw AudioLDM2Error(.file, "\(outputDir): cannot be made or is no folder; choose another --output-dir")
        }
        let manifest = try BatchManifest(folder: outputDir, shard: shard)
        let input = BatchInput(prompts, shard: shard, together: together)
        let pipeline = try await computing.pipeline(
            modelAt: model.path, weightBudget: keepWeights ?? 0, quiet: quiet)
        let command = self
        try await untilInterrupted(note: quiet ? nil : "the same command goes on from here") {
            let run = BatchRun(
                pipeline: pipeline, manifest: manifest, defaults: command.settings,
                memoryLimit: command.memory.limit, firstSeed: command.seed, format: command.format,
                quiet: command.quiet)
            try command.report(try await run.make(input, together: command.together), manifest: manifest)
        }
    }

    private func mergeManifests() throws {
        let report = try BatchMerge(folder: outputDir, lines: BatchFile.lines(of: prompts)).write()
        if json {
            print(try Terminal.json(report))
        } else if !quiet {
            print("\(report.manifest): \(report.made) of \(report.lines) made")
        }
        for failure in report.failed { printNote("line \(failure.line): \(failure.error)") }
        if !report.missing.isEmpty { printNote("missing: " + report.missingLines) }
        if report.made < report.lines { throw ExitCode(1) }
    }

    private func report(_ summary: BatchSummary, manifest: BatchManifest) throws {
        if json {
            print(try Terminal.json(summary))
        } else if !quiet {
            print(
                "\(manifest.path): \(summary.made) made, \(summary.skipped) there before, \(summary.failed.count) failed"
            )
        }
        for failure in summary.failed { printNote("line \(failure.line): \(failure.error)") }
        if !summary.failed.isEmpty { throw ExitCode(1) }
    }
}
