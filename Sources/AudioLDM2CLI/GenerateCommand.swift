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

            The same seed, options and model give the same sound, on any number of threads. With --scheduler ddim \
            the initial noise and the way from it are those of diffusers with torch.Generator("cpu").
            """)

    @Argument(help: "What the sound should be.")
    var prompt: String

    @Option(name: [.short, .long], help: "The model file.")
    var model: String

    @Option(name: [.short, .long], help: "Where to write the sound; the extension says how: wav, flac or ogg.")
    var output: String

    @Option(help: "What the sound should not be.")
    var negativePrompt = ""

    @Option(help: "What a speech model is to say, in English; the prompt says who speaks. Needs libespeak-ng1.")
    var transcription: String?

    @Option(help: "The same as phonemes, which needs nothing: \"wɪʃ juː hɐv ɐ ɡʊd dˈeɪ\".")
    var phonemes: String?

    @Option(help: "Length in seconds, 0.1 to 600. Default: what the model was trained on.")
    var seconds: Double?

    @Option(help: "Steps of the denoiser: more are better, up to a point, and take longer.")
    var steps = GenerationOptions().numInferenceSteps

    @Option(help: "How strongly the prompt is followed; 1 or less switches guidance off and halves the work.")
    var guidanceScale = GenerationOptions().guidanceScale

    @Option(help: "ddim, dpm++, unipc, euler or pndm.")
    var scheduler = GenerationOptions().scheduler

    @Option(help: "Share of fresh noise at every step, 0 to 1; only with ddim.")
    var eta = GenerationOptions().eta

    @Option(help: "A number that settles all chance. Default: a random one, which is printed.")
    var seed: UInt64?

    @OptionGroup var threading: ThreadsOption

    @OptionGroup var memory: MemoryOption

    @Flag(name: [.short, .long], help: "Say how memory will be used.")
    var verbose = false

    @Flag(help: "Print a JSON object about the result on standard output.")
    var json = false

    @Flag(name: [.short, .long], help: "Print nothing but errors.")
    var quiet = false

    func validate() throws {
        guard prompt.contains(where: { !$0.isWhitespace }) else {
            throw ValidationError("The prompt is empty: say what the sound should be.")
        }
        guard transcription == nil || phonemes == nil else {
            throw ValidationError("--transcription and --phonemes say the same: give one of them.")
        }
        guard !model.isEmpty else { throw ValidationError("--model is empty: name a model file.") }
        guard AudioClip.fileExtensions.contains(where: { output.lowercased().hasSuffix(".\($0)") }) else {
            throw ValidationError(
                "--output \(output): name a file that ends in ."
                    + AudioClip.fileExtensions.joined(separator: ", .") + ".")
        }
        if let seconds, !GenerationOptions.secondsRange.contains(seconds) {
            throw ValidationError("--seconds \(seconds): choose 0.1 to 600.")
        }
        guard (1...1000).contains(steps) else { throw ValidationError("--steps \(steps): choose 1 to 1000.") }
        guard guidanceScale.isFinite, guidanceScale >= 0 else {
            throw ValidationError("--guidance-scale \(guidanceScale): choose a number from 0.")
        }
        guard (0...1).contains(eta) else { throw ValidationError("--eta \(eta): choose 0 to 1.") }
        guard eta == 0 || scheduler == .ddim else { throw ValidationError("--eta needs --scheduler ddim.") }
    }

    func run() async throws {
        try AudioClip.checkWritable(output)
        let pipeline = try AudioLDM2Pipeline(modelAt: model, threads: threading.threads)
        let options = GenerationOptions(
            negativePrompt: negativePrompt, speech: speech, seconds: seconds, numInferenceSteps: steps,
            guidanceScale: guidanceScale, scheduler: scheduler, eta: eta, seed: seed, memoryLimit: memory.limit)
        let work = Task { try await generate(with: pipeline, options) }
        let interrupts = Interrupts { work.cancel() }
        defer { interrupts.stop() }
        do {
            let result = try await work.value
            try result.clip.write(to: output)
            try printSummary(result)
        } catch is CancellationError {
            if !quiet { printNote("stopped; nothing was written") }
            throw ExitCode(130)
        }
    }

    private var speech: GenerationOptions.Speech? {
        transcription.map { .text($0) } ?? phonemes.map { .phonemes($0) }
    }

    private func generate(
        with pipeline: AudioLDM2Pipeline, _ options: GenerationOptions
    ) async throws -> GenerationResult {
        let line = ProgressLine(quiet: quiet)
        defer { line.clear() }
        for try await event in pipeline.events(prompt, options: options) {
            switch event {
            case .plan(let plan):
                if verbose { printNote("\(plan)") }
            case .progress(let progress):
                let detail = progress.total > 1 ? "\(progress.completed) of \(progress.total)" : ""
                line.show(
                    progress.stage.rawValue, share: Double(progress.completed) / Double(max(progress.total, 1)),
                    detail: detail)
            case .warning(let text):
                line.clear()
                if !quiet { printNote("warning: " + text) }
            case .finished(let result):
                return result
            }
        }
        throw CancellationError()
    }

    private func printSummary(_ result: GenerationResult) throws {
        if json {
            print(
                try Terminal.json(
                    Summary(
                        output: output, seconds: result.clip.seconds, sampleRate: result.clip.sampleRate,
                        seed: result.seed,
                        stageSeconds: Dictionary(
                            uniqueKeysWithValues: result.stageSeconds.map { ($0.key.rawValue, $0.value) }),
                        memoryPlan: result.memoryPlan)))
        } else if !quiet {
            let total = result.stageSeconds.values.reduce(0, +)
            let stages = GenerationProgress.Stage.allCases
                .map { String(format: "%@ %.1f", $0.rawValue, result.stageSeconds[$0] ?? 0) }
                .joined(separator: ", ")
            print(
                String(
                    format: "%@: %.2f s of sound in %.1f s (%@), seed %llu", output, result.clip.seconds, total, stages,
                    result.seed))
        }
    }

    private struct Summary: Encodable {
        let output: String
        let seconds: Double
        let sampleRate: Int
        let seed: UInt64
        let stageSeconds: [String: Double]
        let memoryPlan: MemoryPlan
    }
}

extension GenerationOptions.Scheduler: ExpressibleByArgument {}
