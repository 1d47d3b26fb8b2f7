import ArgumentParser
import AudioLDM2
import Foundation
import Terminal

struct GenerateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Make a sound from a prompt.",
        discussion: """
            EXAMPLES
              audioldm2 generate "heavy rain on a tin roof" --model audioldm2.aldm --output rain.wav
              audioldm2 generate "a slow violin melody" --model audioldm2.aldm --output violin.flac --seconds 5 --seed 7
              audioldm2 generate "birdsong" --model audioldm2.aldm --output birds.ogg --scheduler ddim --steps 200
              audioldm2 generate "wind in the trees" --model audioldm2.aldm --output wind.flac --seconds 300
              audioldm2 generate "a ticking clock" --model audioldm2.aldm --output clock.wav --loop
              audioldm2 generate "a dog barking" --model audioldm2.aldm --output dog.wav --candidates 4
              audioldm2 generate "heavy rain" --model audioldm2.aldm --output rain.wav --audio-prompt drizzle.mp3
              audioldm2 generate "rain" --model audioldm2.aldm --output - --format raw | aplay -f S16_LE -r 16000

            The same seed, options and model give the same sound, on any number of threads. With --scheduler ddim \
            the initial noise and the way from it are those of diffusers with torch.Generator("cpu").
            """)

    @Argument(help: "What the sound should be.")
    var prompt = ""

    @Option(name: [.short, .long], help: "The model file.")
    var model: String

    @Option(
        name: [.short, .long],
        help: "Where to write the sound; the extension says how: wav, flac or ogg. \"-\" is the standard output.")
    var output: String

    @Option(
        help: "How to write to the standard output: wav, raw (16-bit integers, little-endian) or flac. Default: wav.")
    var format: AudioStream.Format?

    @OptionGroup var speech: SpeechFlags

    @Option(parsing: .unconditional, help: "Length in seconds, 0.1 to 3600. Default: what the model was trained on.")
    var seconds: Double?

    @Flag(help: "Make a sound that repeats without a click; its length is rounded to whole frames.")
    var loop = false

    @Option(help: "Draw the sound's mel spectrogram, with axes, in this PNG file.")
    var spectrogram: String?

    @OptionGroup var generation: GenerationFlags

    @OptionGroup var conditioning: ConditionFlags

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
        guard conditioning.saysSomething || prompt.contains(where: { !$0.isWhitespace }) else {
            throw ValidationError("The prompt is empty: say what the sound should be.")
        }
        guard !model.isEmpty else { throw ValidationError("--model is empty: name a model file.") }
        if output != "-" { try validateSoundFile(output) }
        try requireDistinct(output: output, from: [model, conditioning.audioPrompt, conditioning.condition])
        if let spectrogram {
            try validatePicture(spectrogram, option: "--spectrogram")
            guard output != "-" else { throw ValidationError("--spectrogram needs an --output that is a file.") }
        }
        guard format == nil || output == "-" else {
            throw ValidationError("--format is for --output -; a file's extension says how it is written.")
        }
        guard ranking.candidates == 1 || !prompt.isEmpty && output != "-" && spectrogram == nil else {
            throw ValidationError("--candidates needs a prompt, an --output that is a file, and no --spectrogram.")
        }
        if let seconds, !GenerationOptions.secondsRange.contains(seconds) {
            throw ValidationError("--seconds \(seconds): choose 0.1 to 3600.")
        }
    }

    func run() async throws {
        if output != "-" { try AudioClip.checkWritable(output) }
        let pipeline = try AudioLDM2Pipeline(modelAt: model, threads: computing.threads, device: computing.device)
        if verbose, let note = pipeline.deviceNote { printNote(note) }
        var options = try generation.options(for: pipeline)
        (options.seconds, options.loops, options.memoryLimit) = (seconds, loop, memory.limit)
        options.speech = speech.speech
        options.seed = seed ?? UInt64.random(in: 0...UInt64(UInt32.max))
        (options.condition, options.audioWeight) = (
            try conditioning.load(pipeline, prompt: prompt), conditioning.audioWeight
        )
        let (command, chosen) = (self, options)
        try await untilInterrupted(note: quiet || output == "-" ? nil : "nothing was written") {
            if command.ranking.candidates > 1 {
                try await command.makeCandidates(pipeline, chosen)
            } else {
                try await command.make(pipeline, chosen)
            }
        }
    }

    private func make(_ pipeline: AudioLDM2Pipeline, _ options: GenerationOptions) async throws {
        let stream = output == "-" ? try stream(of: pipeline, options) : nil
        let events = pipeline.events(prompt, options: options, streamingTo: stream.map { $0.write })
        do {
            let result = try await follow(events, quiet: quiet, verbose: verbose)
            if let stream { try stream.finish() } else { try result.clip.write(to: output, record: result.record) }
            if let spectrogram { try result.clip.writeSpectrogram(to: spectrogram) }
            try printSummary(result)
        } catch is CancellationError where stream?.readerIsGone == true {
            // Who closes the pipe has heard enough.
        }
    }

    private func makeCandidates(_ pipeline: AudioLDM2Pipeline, _ options: GenerationOptions) async throws {
        let count = ranking.candidates
        let events = pipeline.events(ranking: count, keeping: ranking.keep, of: prompt, options: options)
        let kept = try await follow(events, count: count, quiet: quiet, verbose: verbose)
        try writeRanked(kept, to: output, json: json, quiet: quiet)
    }

    private func stream(of pipeline: AudioLDM2Pipeline, _ options: GenerationOptions) throws -> AudioStream {
        signal(SIGPIPE, SIG_IGN)
        return AudioStream(
            format ?? .wav, to: STDOUT_FILENO, sampleRate: pipeline.sampleRate,
            record: try pipeline.record(of: prompt, options: options))
    }

    /// On standard output, unless the sound itself goes there.
    private func printSummary(_ result: GenerationResult) throws {
        let show = output == "-" ? printNote : { print($0) }
        if json {
            show(try Terminal.json(ResultSummary(result, output: output, spectrogram: spectrogram)))
        } else if !quiet {
            let total = result.stageSeconds.values.reduce(0, +)
            let stages = GenerationProgress.Stage.allCases
                .map { String(format: "%@ %.1f", $0.rawValue, result.stageSeconds[$0] ?? 0) }
                .joined(separator: ", ")
            show(
                String(
                    format: "%@: %.2f s of sound in %.1f s (%@), seed %llu", output, result.record.seconds, total,
                    stages, result.seed))
        }
    }
}

extension AudioStream.Format: ExpressibleByArgument {}
