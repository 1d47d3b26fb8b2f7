import ArgumentParser
import AudioLDM2
import CommandOptions
import Glibc
import Synchronization
import Terminal
import Text

struct ScoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "score",
        abstract: "Say how well sound files fit a prompt, by the model's CLAP.",
        discussion: """
            Prints the cosine of the CLAP embeddings of prompt and sound, −1 to 1, best first. Of each sound the first \
            ten seconds are heard; any format, sample rate and number of channels. A file that cannot be used does not \
            stop the others; if there is one, the command exits with 1.

            EXAMPLES
              audioldm2 score "a cow" cow.wav goat.flac rain.mp3
              audioldm2 score "a dog barking" --model audioldm2.aldm out/*.wav --json
            """)

    @Argument(help: "What the sounds should be.", transform: plainText)
    var prompt: String

    @Argument(help: "Sound files.", completion: .soundsToRead, transform: plainText)
    var files: [String]

    @OptionGroup var model: ModelOption

    @OptionGroup var computing: ComputeOptions

    @OptionGroup var memory: MemoryOption

    @Flag(help: "Print JSON for programs.")
    var json = false

    func validate() throws {
        guard prompt.contains(where: { !$0.isWhitespace }) else {
            throw ValidationError("The prompt is empty: say what the sounds should be.")
        }
    }

    func run() async throws {
        let scorer = try await SoundScorer(
            modelAt: model.path, threads: computing.threads, device: computing.device, memoryLimit: memory.limit)
        if let warning = scorer.deviceWarning { printWarning(warning) }
        if !json { model.noteHowItJudges() }
        let failed = Atomic<Bool>(false)
        let scores = try await scorer.scores(of: files, for: prompt, notice: printWarning) { _, error in
            failed.store(true, ordering: .relaxed)
            printNote("Error: \(error)")
        }.sorted { $0.score > $1.score }
        if json {
            print(try Terminal.json(scores))
        } else {
            for score in scores { print(String(printf: "%+.4f  ", score.score) + score.file) }
        }
        if failed.load(ordering: .relaxed) { throw ExitCode.failure }
    }
}
