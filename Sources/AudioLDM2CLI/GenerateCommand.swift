import ArgumentParser
import AudioLDM2
import Glibc
import Terminal
import Text

struct GenerateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Make a sound from a prompt.",
        discussion: """
            EXAMPLES
              audioldm2 generate "heavy rain" --output rain.wav
              audioldm2 generate "rain on a tin roof" --model audioldm2.aldm -o rain.wav
              audioldm2 generate "a slow violin" --output violin.flac --seconds 5 --seed 7
              audioldm2 generate "birdsong" --output birds.ogg --scheduler ddim --steps 200
              audioldm2 generate "wind in the trees" --output wind.flac --seconds 300
              audioldm2 generate "a ticking clock" --output clock.wav --loop
              audioldm2 generate "a door slams" --output door.mp3 --trim-silence --normalize lufs:-16 --play
              audioldm2 generate "rain" --output rain.aiff --bits 24 --sample-rate 48000 --fade-in 2
              audioldm2 generate "a cow" --output cow.wav --candidates 4
              audioldm2 generate "heavy rain" --output rain.wav --audio-prompt drizzle.mp3
              audioldm2 generate "rain" --output - --format raw | aplay -f S16_LE -r 16000

            The same seed, options and model give the same sound, on any number of threads. The initial noise is that of \
            diffusers with torch.Generator("cpu"), and with --scheduler ddim so is the way from it.
            """)

    @Argument(help: "What the sound should be.", transform: plainText)
    var prompt = ""

    @Option(
        name: [.short, .long],
        help: """
            Where to write the sound; the extension says how: wav, flac, ogg, opus, mp3 or aiff. "-" is the standard output.
            """,
        completion: .sounds, transform: plainText)
    var output: String

    @Option(
        help: "How to write to the standard output: wav, raw (samples alone, little-endian) or flac. Default: wav.")
    var format: AudioStream.Format?

    @Option(parsing: .unconditional, help: "Length in seconds, 0.1 to 3600. Default: what the model was trained on.")
    var seconds: Double?

    @Flag(
        help: """
            Make a sound that repeats without a click; its length is rounded to whole frames, and a wav file says that it is a \
            loop. Without fades and --trim-silence, as it has no ends.
            """)
    var loop = false

    @OptionGroup var finish: FinishFlags

    @Option(
        help: "Draw the sound's mel spectrogram, with axes, in this PNG file.", completion: .pictures,
        transform: plainText)
    var spectrogram: String?

    @Flag(help: "Play the sound when it is written, by pw-play, paplay, aplay or ffplay; of candidates the best.")
    var play = false

    @OptionGroup var making: MakingFlags

    func validate() throws {
        try making.validate(prompt: prompt)
        try making.requireOwnOutput(output)
        if output != "-" { try validateSoundFile(output) }
        if let spectrogram {
            try validatePicture(spectrogram, option: "--spectrogram")
            guard output != "-" else { throw ValidationError("--spectrogram needs an --output that is a file.") }
        }
        guard format != .flac || making.storing.bits != .float32 else {
            throw ValidationError("--bits float: flac holds integers; choose 16 or 24, or --format wav.")
        }
        guard format == nil || output == "-" else {
            throw ValidationError("--format is for --output -; a file's extension says how it is written.")
        }
        guard !play || output != "-" else { throw ValidationError("--play needs an --output that is a file.") }
        guard making.ranking.candidates == 1 || output != "-" && spectrogram == nil else {
            throw ValidationError("--candidates needs an --output that is a file, and no --spectrogram.")
        }
        try settings.validate()
    }

    private var settings: SoundSettings {
        var settings = finish.settings
        settings.seconds = seconds
        settings.loops = loop
        return settings
    }

    func run() async throws {
        if output != "-" { try making.ranking.checkWritable(output) }
        if let spectrogram { try AudioClip.checkSpectrogramWritable(spectrogram) }
        let player = try play ? SoundPlayer() : nil
        let (pipeline, options) = try await making.open(prompt: prompt, settings)
        if output != "-" {
            try AudioClip.checkWritable(
                output, sampleRate: options.sampleRate ?? pipeline.sampleRate, encoding: options.encoding)
        }
        let command = self
        try await untilInterrupted(note: making.quiet || output == "-" ? nil : "nothing was written") {
            if command.making.ranking.candidates > 1 {
                try await command.makeCandidates(pipeline, options, player)
            } else {
                try await command.make(pipeline, options, player)
            }
        }
    }

    private func make(
        _ pipeline: AudioLDM2Pipeline, _ options: SoundOptions, _ player: SoundPlayer?
    ) async throws {
        if output == "-", options.needsWhole { return try await stream(wholeOf: pipeline, options) }
        let stream = output == "-" ? try stream(of: pipeline, options) : nil
        let events = pipeline.events(prompt, options: options, streamingTo: stream.map { $0.write })
        do {
            let result = try await follow(events, quiet: making.quiet, verbose: making.verbose)
            if let stream {
                try stream.finish()
            } else {
                try AudioLDM2CLI.write(result, to: output, quiet: making.quiet)
            }
            if let spectrogram { try result.clip.writeSpectrogram(to: spectrogram) }
            try printSummary(result)
            try await player?.play(result.clip)
        } catch is CancellationError where stream?.readerIsGone == true {
            // Who closes the pipe has heard enough.
        }
    }

    /// Writes a sound to the standard output that has to be there before any of it can leave.
    private func stream(wholeOf pipeline: AudioLDM2Pipeline, _ options: SoundOptions) async throws {
        if !making.quiet {
            printNote(
                "note: nothing is heard until all of the sound is made: --trim-silence, --normalize and loops at another "
                    + "--sample-rate need it whole")
        }
        let events = pipeline.events(prompt, options: options)
        let result = try await follow(events, quiet: making.quiet, verbose: making.verbose)
        let stream = stream(of: result.record, sampleRate: result.clip.sampleRate)
        do {
            try stream.write(result.clip.samples)
            try stream.finish()
            try printSummary(result)
        } catch is CancellationError where stream.readerIsGone {
            // Who closes the pipe has heard enough.
        }
    }

    private func makeCandidates(
        _ pipeline: AudioLDM2Pipeline, _ options: SoundOptions, _ player: SoundPlayer?
    ) async throws {
        let count = making.ranking.candidates
        let events = pipeline.events(ranking: count, keeping: making.ranking.keep, of: prompt, options: options)
        let kept = try await follow(events, count: count, quiet: making.quiet, verbose: making.verbose)
        try writeRanked(kept, to: output, json: making.json, quiet: making.quiet)
        if let best = kept.first { try await player?.play(best.clip) }
    }

    private func stream(of pipeline: AudioLDM2Pipeline, _ options: SoundOptions) throws -> AudioStream {
        stream(
            of: try pipeline.record(of: prompt, options: options),
            sampleRate: options.sampleRate ?? pipeline.sampleRate)
    }

    private func stream(of record: SoundRecord, sampleRate: Int) -> AudioStream {
        signal(SIGPIPE, SIG_IGN)
        return AudioStream(format ?? .wav, to: STDOUT_FILENO, sampleRate: sampleRate, record: record)
    }

    /// On standard output, unless the sound itself goes there.
    private func printSummary(_ result: SoundResult) throws {
        let show = output == "-" ? printNote : { print($0) }
        if making.json {
            show(try Terminal.json(ResultSummary(result, output: output, spectrogram: spectrogram)))
        } else if !making.quiet {
            let total = result.stageSeconds.values.reduce(0, +)
            let stages = SoundProgress.Stage.allCases
                .map { $0.rawValue + String(printf: " %.1f", result.stageSeconds[$0] ?? 0) }
                .joined(separator: ", ")
            let length = String(printf: "%.2f s of sound in %.1f s", result.record.seconds, total)
            show("\(output): \(length) (\(stages)), seed \(result.seed)")
        }
    }
}

extension AudioStream.Format: ExpressibleByArgument {}
