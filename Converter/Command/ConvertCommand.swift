import ArgumentParser
import AudioLDM2
import AudioLDM2Converter
import AudioLDM2Diagnostics
import Glibc
import Platform
import Tensors
import Terminal
import Text
import WeightFile

@main
enum Program {
    static func main() { CommandProgram(ConvertCommand.self, leastMemory: MemoryPlan.leastForAnyWork).run() }
}

struct ConvertCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audioldm2-convert",
        abstract: "Makes one model file (.aldm) of AudioLDM 2 or 1, or of a network that judges sounds.",
        discussion: """
            CHECKPOINT is a folder with the layout that diffusers saves (model_index.json, and a folder for each component \
            with its config.json and weights), one of the authors' files (.pth, .ckpt), or a network that judges sounds \
            and makes none: a folder of CLAP by itself, or the published file of VGGish, Cnn14, PaSST or LAION's CLAP, or MusicNN as safetensors. \
            Files hold no tokenizers but the symbols of speech: take them from folders. PyTorch's pickles are read as data; \
            nothing in them is run.

            By default products are stored as 8-bit integers with a scale for each output, except where that loses too \
            much, which is measured: the model is run on a few prompts, ranges of outlier channels are moved into the weights \
            that read them, and products that cost too much all the same are stored in a dearer way (--no-calibrate does \
            without). Interrupting leaves an older output file as it was.

            EXAMPLES:
              audioldm2-convert audioldm2/ --output audioldm2.aldm
              audioldm2-convert audioldm2/ --output small.aldm --compression 12
              audioldm2-convert audioldm2/ --output exact.aldm --weights float32 --json
              audioldm2-convert audioldm2/ -o mine.aldm --calibrate prompts.txt --target-error 0.02
              audioldm2-convert audioldm2/ -o mixed.aldm --weights unet=int8,vae=float16
              audioldm2-convert --describe audioldm2-full.pth
              audioldm2-convert audioldm2/ --dry-run --weights unet=int8,float16
              audioldm2-convert audioldm2/ -o jazz.aldm --lora jazz.safetensors=0.8
              audioldm2-convert full.pth -o a.aldm --tokenizer roberta/ --tokenizer-2 t5/
              audioldm2-convert ljspeech.pth --output speech.aldm --tokenizer roberta/
              audioldm2-convert vggish-10086976.pth -o vggish.aldm
              audioldm2-convert mine.ckpt --ema --config mine.yaml -o mine.aldm
            """,
        version: AudioLDM2Pipeline.version)

    @OptionGroup var input: CheckpointArguments

    @Option(
        name: [.short, .long], help: ArgumentHelp("The file to write.", valueName: "MODEL.aldm"),
        completion: .file(extensions: ["aldm"]), transform: plainText)
    var output: String?

    @Flag(help: "Say what the checkpoint is, and convert nothing.")
    var describe = false

    @Option(
        help: ArgumentHelp(
            "How weights are stored where their precision allows: int8, float16 or float32, for all or by component.",
            valueName: "PRESET,NAME=PRESET…"))
    var weights = WeightsArgument()

    @Option(help: ArgumentHelp("zstd level; none is larger, and read in place.", valueName: "none|1…19"))
    var compression = CompressionArgument(value: .zstd(level: 3))

    @Option(
        help: ArgumentHelp(
            "Text of the weights' licence, instead of what the checkpoint has.", valueName: "FILE"),
        completion: .file(), transform: plainText
    )
    var license: String?

    @Option(
        help: ArgumentHelp(
            "Leave out what is not needed: \(CheckpointLayout.omissible.joined(separator: ", ")); or encoders, which are "
                + "all of these: such a model makes sounds of what 'audioldm2 encode' saved.",
            valueName: "NAME,…"), transform: plainText)
    var without = ""

    @Option(
        help: """
            Whose behaviour and defaults the model has unless told otherwise: diffusers or authors. Default: the authors' \
            for their files, and none for folders: our own settings.
            """)
    var profile: ReferenceProfile?

    @Option(
        help: """
            What makes waveforms unless told otherwise: hifigan or griffin-lim. Default: what the checkpoint's \
            \(ModelDefaults.fileName) says, or hifigan.
            """)
    var vocoder: SoundOptions.Vocoder?

    @Option(
        help: ArgumentHelp(
            "Prompts for calibration, one a line, instead of a few that come with the program.",
            valueName: "PROMPTS.txt"), completion: .file(), transform: plainText)
    var calibrate: String?

    @Flag(name: .customLong("no-calibrate"), help: "Convert weights as they are, without running the model.")
    var skipsCalibration = false

    @Option(
        help: ArgumentHelp(
            "Relative error of the denoiser's predictions that int8 may make; where it would be larger, the products that cost most are stored in a dearer way. Default: 0.03.",
            valueName: "X"))
    var targetError: Double?

    @Option(
        help: ArgumentHelp(
            "Merge a LoRA, as PEFT or diffusers save it, of the UNet, text encoders …, times a scale (default 1), before "
                + "anything else is done with the weights; once for each.",
            valueName: "FILE[=SCALE]"),
        completion: .file(), transform: LoRAArgument.init(text:))
    var lora: [LoRAArgument] = []

    @Flag(
        name: .customLong("dry-run"),
        help: "Say how large each component will be, with what is asked for and with each preset, and write nothing.")
    var isDryRun = false

    @Option(help: ArgumentHelp("How many threads work.", valueName: "N"))
    var threads: Int = SystemProcessors.available

    @Flag(name: [.short, .long], help: "Print nothing but errors.")
    var quiet = false

    @Flag(help: "Print the summary as JSON.")
    var json = false

    func validate() throws {
        let range = Workers.range
        guard range.contains(threads) else {
            throw ValidationError("--threads \(threads): choose \(range.lowerBound) to \(range.upperBound).")
        }
        guard !(describe && isDryRun) else { throw ValidationError("Ask for --describe and --dry-run one by one.") }
        guard describe || isDryRun || output?.isEmpty == false else {
            throw ValidationError("--output needs the name of a file.")
        }
        if skipsCalibration, calibrate != nil || targetError != nil {
            throw ValidationError("--no-calibrate leaves nothing for --calibrate and --target-error to do.")
        }
        if let targetError, !CalibrationOptions.targetErrors.contains(targetError) {
            let range = CalibrationOptions.targetErrors
            throw ValidationError("--target-error \(targetError): choose \(range.lowerBound) to \(range.upperBound).")
        }
        if let output {
            try requireDistinct(output: output, from: [license, calibrate], folders: input.files + lora.map(\.path))
        }
        let names = CheckpointLayout.omissible + [Self.encoders]
        if let unknown = excluded.subtracting(names).min() {
            throw ValidationError("--without \(unknown): choose from \(names.joined(separator: ", ")).")
        }
    }

    private static let encoders = "encoders"

    private var excluded: Set<String> { Set(without.split(separator: ",").map(String.init)) }

    private var omitted: Set<String> {
        excluded.contains(Self.encoders) ? Set(CheckpointLayout.omissible) : excluded
    }

    func run() async throws {
        do {
            try await convertOrDescribe()
        } catch let error as AudioLDM2Error where error.kind == .invalidOption {
            // Whether options fit the checkpoint shows when it is open.
            throw ValidationError(error.description)
        }
    }

    private func convertOrDescribe() async throws {
        if describe {
            let description = try CheckpointDescription(input.open())
            print(try json ? Terminal.json(description) : description.table)
            return try finishOutput()
        }
        if let output, !isDryRun { try PackWriter.checkWritable(output) }
        var options = ConversionOptions(
            weights: weights.preset, compression: compression.value, license: try license.map(LicenseText.init(path:)),
            without: omitted, profile: profile, threads: threads)
        options.componentWeights = weights.byComponent
        options.vocoder = vocoder
        options.calibration = try calibration
        options.adapters = try lora.map { try LowRankAdapter(path: $0.path, scale: $0.scale) }
        let converter = try CheckpointConverter(input.open(), options)
        guard !isDryRun, let output else {
            let forecast = converter.forecast()
            print(try json ? Terminal.json(forecast) : forecast.table)
            return try finishOutput()
        }
        let command = self
        try await untilInterrupted(note: quiet ? nil : "nothing was written") {
            try command.convert(converter, to: output)
        }
    }

    private var calibration: CalibrationOptions? {
        get throws {
            guard !skipsCalibration else { return nil }
            var options = CalibrationOptions()
            if let calibrate {
                options.request.prompts = try PromptFile.prompts(at: calibrate, most: CalibrationOptions.mostPrompts)
            }
            if let targetError { options.targetError = targetError }
            return options
        }
    }

    private func convert(_ converter: CheckpointConverter, to output: String) throws {
        let line = ProgressLine(quiet: quiet)
        defer { line.clear() }
        let summary = try converter.convert(to: output) { progress in
            line.show(
                progress.activity.rawValue, share: Double(progress.bytesDone) / Double(max(progress.bytesTotal, 1)),
                detail: "\(progress.component), \(megabytes(progress.bytesDone)) of \(megabytes(progress.bytesTotal))")
        }
        line.clear()
        if json {
            print(try Terminal.json(summary))
        } else if !quiet {
            print(summary.table(output: output))
        }
        for part in summary.calibration?.components ?? [] where !part.isMet && !quiet {
            printWarning(
                "\(part.name): its error stays at " + String(printf: "%.1e", part.largestAfter)
                    + ", over the target of "
                    + String(printf: "%.1e", part.target)
                    + ", however its products are stored; --weights \(part.name)=float16 keeps it out of 8 bits")
        }
        try finishOutput()
    }
}

extension ReferenceProfile: ExpressibleByArgument {}
extension SoundOptions.Vocoder: ExpressibleByArgument {}

/// `none` or a zstd level. Low levels are as good as high ones: weights have few repetitions, but uneven frequencies.
struct CompressionArgument: ExpressibleByArgument {
    let value: PackCompression

    init(value: PackCompression) { self.value = value }

    init?(argument: String) {
        if argument == "none" {
            value = .none
        } else if let level = Int(argument), (1...19).contains(level) {
            value = .zstd(level: level)
        } else {
            return nil
        }
    }

    var defaultValueDescription: String {
        switch value {
        case .none: "none"
        case .zstd(let level): "\(level)"
        }
    }
}
