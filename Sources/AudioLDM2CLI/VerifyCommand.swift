import ArgumentParser
import AudioLDM2
import AudioLDM2Diagnostics
import Foundation
import Terminal

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Compare a model's numbers, stage by stage, with those that a reference implementation recorded.",
        discussion: """
            The golden file holds tensors, and in its metadata the prompt, negative prompt, length, steps and guidance \
            that they were computed with. Each stage is fed from our own previous one; rows that name a golden source \
            are fed from the golden file instead. Each row is a name, the relative error, what is tolerated, and whether that \
            passes; "stated" is an error that is reported and not judged. Exits with 1 if a row fails.

            EXAMPLES
              audioldm2 verify tiny.aldm --golden tiny.safetensors
              audioldm2 verify tiny.aldm --golden tiny.safetensors --dump ours.safetensors
            """)

    @OptionGroup var model: ModelArgument

    @Option(help: "The recorded tensors.", transform: plainText)
    var golden: String

    @Option(help: "Write our tensors under the same names to this safetensors file.", transform: plainText)
    var dump: String?

    @OptionGroup var computing: ComputeOptions

    @Flag(help: "Print JSON for programs.")
    var json = false

    func run() async throws {
        let verification = try await ModelVerification(
            modelAt: model.path, goldenAt: golden, threads: computing.threads, device: computing.device)
        if let warning = verification.deviceWarning { printWarning(warning) }
        let command = self
        let report = try await verification.run(dumpTo: dump) { row in
            if !command.json { command.printRow(row) }
        }
        if json { print(try Terminal.json(report)) }
        guard report.passed else { throw ExitCode.failure }
    }

    private func printRow(_ row: VerificationReport.Row) {
        let name = row.name.padding(toLength: 28, withPad: " ", startingAt: 0)
        let error = row.relativeError.map { String(format: "%.2e", $0) } ?? "-"
        let tolerance = row.tolerance.map { String(format: "%.0e", $0) } ?? "-"
        print("\(name) \(error.padding(toLength: 10, withPad: " ", startingAt: 0)) ", terminator: "")
        print("\(tolerance.padding(toLength: 8, withPad: " ", startingAt: 0)) \(row.status.rawValue)")
    }
}
