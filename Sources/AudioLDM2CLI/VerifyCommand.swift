import ArgumentParser
import AudioLDM2
import AudioLDM2Diagnostics
import CommandOptions
import Glibc
import Terminal
import Text

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract:
            "Compare a model's numbers, stage by stage, with those of a reference implementation or another model file.",
        discussion: """
            The golden file holds tensors, and in its metadata the prompt, negative prompt, length, steps and guidance \
            that they were computed with. Each stage is fed from our own previous one; rows that name a golden source \
            are fed from the golden file instead. Each row is a name, the relative error, what is tolerated, and whether that \
            passes; "stated" is an error that is reported and not judged. Exits with 1 if a row fails.

            With --against instead, the other file's model (the same checkpoint, converted with --weights float32 or float16) \
            is run on your prompts, and each stage of yours is given what the other's was given; rows hold the worst error.

            EXAMPLES
              audioldm2 verify tiny.aldm --golden tiny.safetensors
              audioldm2 verify tiny.aldm --golden tiny.safetensors --dump ours.safetensors
              audioldm2 verify small.aldm --against exact.aldm --prompt "rain on a tin roof" --prompt "slow piano"
            """)

    @OptionGroup var model: ModelArgument

    @Option(help: ArgumentHelp("The recorded tensors.", valueName: "FILE"), completion: .tensors, transform: plainText)
    var golden: String?

    @Option(
        help: ArgumentHelp("A model file of the same checkpoint that is believed.", valueName: "MODEL.aldm"),
        completion: .models, transform: plainText)
    var against: String?

    @Option(
        parsing: .unconditionalSingleValue, help: "What both models are asked; may be given more than once.",
        transform: plainText)
    var prompt: [String] = []

    @Option(parsing: .unconditional, help: "Length of the sounds that the other model makes. Default: 2.56.")
    var seconds: Double?

    @Option(help: "Write our tensors under the same names to this safetensors file.", transform: plainText)
    var dump: String?

    @OptionGroup var computing: ComputeOptions

    @Flag(help: "Print JSON for programs.")
    var json = false

    func validate() throws {
        guard (golden == nil) != (against == nil) else {
            throw ValidationError("Give either --golden FILE or --against MODEL.aldm.")
        }
        if against == nil, !prompt.isEmpty || seconds != nil {
            throw ValidationError("--prompt and --seconds belong to --against; a golden file has its own.")
        }
        if against != nil {
            if dump != nil { throw ValidationError("--dump belongs to --golden.") }
            if prompt.isEmpty { throw ValidationError("--against needs a --prompt.") }
        }
    }

    func run() async throws {
        let report = if let golden { try await verify(golden) } else { try await compare() }
        if json { print(try Terminal.json(report)) }
        guard report.passed else { throw ExitCode.failure }
    }

    private func compare() async throws -> VerificationReport {
        let comparison = try await ModelComparison(
            modelAt: model.path, against: against ?? "", prompts: prompt, seconds: seconds ?? 2.56,
            threads: computing.threads, device: computing.device)
        if let warning = comparison.deviceWarning { printWarning(warning) }
        let command = self
        return try await comparison.run { row in if !command.json { command.printRow(row) } }
    }

    private func verify(_ golden: String) async throws -> VerificationReport {
        let verification = try await ModelVerification(
            modelAt: model.path, goldenAt: golden, threads: computing.threads, device: computing.device)
        if let warning = verification.deviceWarning { printWarning(warning) }
        let command = self
        return try await verification.run(dumpTo: dump) { row in if !command.json { command.printRow(row) } }
    }

    private func printRow(_ row: VerificationReport.Row) {
        let name = row.name.padded(to: 28)
        let error = row.relativeError.map { String(printf: "%.2e", $0) } ?? "-"
        let tolerance = row.tolerance.map { String(printf: "%.0e", $0) } ?? "-"
        print("\(name) \(error.padded(to: 10)) ", terminator: "")
        print("\(tolerance.padded(to: 8)) \(row.status.rawValue)")
    }
}
