import ArgumentParser
import AudioLDM2
import AudioLDM2Diagnostics
import CommandOptions
import FoundationEssentials
import Glibc
import Terminal
import Text

struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Time the stages of a model on this machine.",
        discussion: """
            Prints seconds per stage; the products (multiplications with an addition) of the denoiser's steps a second, \
            and what share that is of the most that this CPU's best instruction makes on all threads; the share of the \
            threads' time (on a GPU: of its own) that was used; and the memory.

            EXAMPLES
              audioldm2 bench
              audioldm2 bench audioldm2.aldm --seconds 10.24 --steps 5 --profile
              AUDIOLDM2_CPU=avx2 audioldm2 bench audioldm2.aldm --json
              audioldm2 bench audioldm2.aldm --device cuda
              audioldm2 bench -r 5 -o md
              audioldm2 bench -r 5 -o jsonl >> runs.jsonl
            """)

    @OptionGroup var model: ModelArgument

    @Option(parsing: .unconditional, help: "Length of the sound in seconds. Default: what the model was trained on.")
    var seconds: Double?

    @Option(parsing: .unconditional, help: "Steps of the denoiser, from 2; the first one does not count.")
    var steps = 3

    @OptionGroup var computing: ComputeOptions

    @OptionGroup var memory: MemoryOption

    @Option(
        name: [.customShort("r"), .long], parsing: .unconditional,
        help: ArgumentHelp(
            "Run all of it so often, and print means and standard deviations.", valueName: "N"))
    var repetitions = 1

    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp("How to print that: table, md, csv, or jsonl, one line of JSON.", valueName: "format"))
    var format: BenchFormat?

    @Flag(help: "List what each kind of operation costs within the steps.")
    var profile = false

    @Flag(help: "Print JSON for programs.")
    var json = false

    func validate() throws {
        guard (1...1000).contains(repetitions) else {
            throw ValidationError("--repetitions \(repetitions): choose 1 to 1000.")
        }
        guard !(json || profile) || repetitions == 1 && format == nil else {
            throw ValidationError("--json and --profile tell of one run: leave --repetitions and --output out.")
        }
        guard steps >= 2 else { throw ValidationError("--steps \(steps): choose 2 or more.") }
    }

    func run() async throws {
        let benchmark = try await PipelineBenchmark(
            modelAt: model.path, seconds: seconds, steps: steps, threads: computing.threads, device: computing.device,
            memoryLimit: memory.limit)
        if let warning = benchmark.deviceWarning { printWarning(warning) }
        if repetitions > 1 || format != nil {
            var reports: [PipelineBenchmark.Report] = []
            for _ in 0..<repetitions { reports.append(try await benchmark.run()) }
            let name = URL(fileURLWithPath: try model.path).lastPathComponent
            if let summary = PipelineBenchmark.Summary(of: name, reports) {
                print(try summary.text(as: format ?? .table))
            }
            return
        }
        let report = try await benchmark.run()
        if json {
            print(try Terminal.json(report))
        } else {
            printTable(report)
        }
    }

    private func printTable(_ report: PipelineBenchmark.Report) {
        func row(_ name: String, _ value: String) {
            print(name.padded(to: 20) + value)
        }
        row("kernels", "\(report.tier), \(report.threads) threads")
        row("sound", String(printf: "%.2f s", report.seconds))
        row("encode_seconds", String(printf: "%.2f", report.encodeSeconds))
        row("unet_step_seconds", String(printf: "%.3f", report.unetStepSeconds))
        row("vae_seconds", String(printf: "%.2f", report.vaeSeconds))
        row("vocoder_seconds", String(printf: "%.2f", report.vocoderSeconds))
        row("load_seconds", String(printf: "%.2f", report.loadSeconds))
        let share = report.peakGmacs.map {
            String(printf: ", %.0f %% of the peak of %.0f", 100 * report.gmacs / $0, $0)
        }
        row("gmacs", String(printf: "%.0f (%.0f GMAC a step)", report.gmacs, report.unetStepGMAC) + (share ?? ""))
        row("peak_rss_bytes", megabytes(report.peakRSSBytes))
        if let bytes = report.deviceMemoryBytes { row("device_memory_bytes", megabytes(bytes)) }
        if let utilization = report.utilization { row("utilization", String(printf: "%.0f %%", 100 * utilization)) }
        if let watts = report.watts { row("power", String(printf: "%.0f W", watts)) }
        row("memory_plan", "\(report.memoryPlan)")
        guard profile else { return }
        let total = report.operations.reduce(0) { $0 + $1.seconds }
        for operation in report.operations {
            row(
                "  " + operation.name,
                String(
                    printf: "%5.1f %%  %6d calls  %.3f s  %.0f GMAC/s", 100 * operation.seconds / total,
                    operation.calls,
                    operation.seconds, operation.gmacs))
        }
    }
}
