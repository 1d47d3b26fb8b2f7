import ArgumentParser
import AudioLDM2
import AudioLDM2Converter
import Foundation
import Platform
import Tensors
import Terminal
import WeightFile

@main
enum Program {
    static func main() { CommandProgram(ConvertCommand.self, leastMemory: MemoryPlan.leastForAnyWork).run() }
}

struct ConvertCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audioldm2-convert",
        abstract: "Makes one model file (.aldm) of a checkpoint of AudioLDM 2 or 1, or of CLAP.",
        discussion: """
            CHECKPOINT is a folder with the layout that diffusers saves (model_index.json, and a folder for each component \
            with its config.json and weights), one of the authors' files (.pth, .ckpt), or a folder of CLAP by itself, which \
            judges sounds and makes none. The authors' files hold no tokenizers but the symbols of speech: take them from \
            folders. PyTorch's pickles are read as data; nothing in them is run.

            By default products are stored as 8-bit integers with a scale for each output, except where that loses too \
            much, which is measured. Interrupting leaves an older output file as it was.

            EXAMPLES:
              audioldm2-convert audioldm2/ --output audioldm2.aldm
              audioldm2-convert audioldm2/ --output small.aldm --compression 12
              audioldm2-convert audioldm2/ --output exact.aldm --weights float32 --json
              audioldm2-convert audioldm2/ -o mixed.aldm --weights unet=int8,vae=float16
              audioldm2-convert --describe audioldm2-full.pth
              audioldm2-convert full.pth -o a.aldm --tokenizer roberta/ --tokenizer-2 t5/
              audioldm2-convert ljspeech.pth --output speech.aldm --tokenizer roberta/
              audioldm2-convert mine.ckpt --ema --config mine.yaml -o mine.aldm
            """,
        version: AudioLDM2Pipeline.version)

    @OptionGroup var input: CheckpointArguments

    @Option(
        name: [.short, .long], help: ArgumentHelp("The file to write.", valueName: "MODEL.aldm"), transform: plainText)
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
            for their files, and none for folders: 25 steps of DPM++.
            """)
    var profile: ReferenceProfile?

    @Option(
        help: """
            What makes waveforms unless told otherwise: hifigan or griffin-lim. Default: what the checkpoint's \
            \(ModelDefaults.fileName) says, or hifigan.
            """)
    var vocoder: SoundOptions.Vocoder?

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
        guard describe || output?.isEmpty == false else {
            throw ValidationError("--output needs the name of a file.")
        }
        if let output { try requireDistinct(output: output, from: [license], folders: input.files) }
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
        guard !describe, let output else {
            let description = try CheckpointDescription(input.open())
            print(try json ? Terminal.json(description) : description.table)
            return try finishOutput()
        }
        try PackWriter.checkWritable(output)
        var options = ConversionOptions(
            weights: weights.preset, compression: compression.value, license: try license.map(LicenseText.init(path:)),
            without: omitted, profile: profile, threads: threads)
        options.componentWeights = weights.byComponent
        options.vocoder = vocoder
        let converter = try CheckpointConverter(input.open(), options)
        let command = self
        try await untilInterrupted(note: quiet ? nil : "nothing was written") {
            try command.convert(converter, to: output)
        }
    }

    private func convert(_ converter: CheckpointConverter, to output: String) throws {
        let line = ProgressLine(quiet: quiet)
        defer { line.clear() }
        let summary = try converter.convert(to: output) { progress in
            line.show(
                "converting", share: Double(progress.bytesDone) / Double(max(progress.bytesTotal, 1)),
                detail: "\(progress.component), \(megabytes(progress.bytesDone)) of \(megabytes(progress.bytesTotal))")
        }
        line.clear()
        if json {
            print(try Terminal.json(summary))
        } else if !quiet {
            print(summary.table(output: output))
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
