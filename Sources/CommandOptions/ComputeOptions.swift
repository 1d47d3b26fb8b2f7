import ArgumentParser
import AudioLDM2
import Terminal

/// `--threads` and `--device`, the same for every command that computes.
package struct ComputeOptions: ParsableArguments {
    @Option(
        parsing: .unconditional, help: "Threads of the CPU to compute with. Default: one per core that may be used.")
    package var threads: Int?

    @Option(
        help: ArgumentHelp(
            """
            auto, cpu, cuda, or cuda:N for one of several GPUs; auto is the first GPU that works, else the CPU. \
            Default: what the variable AUDIOLDM2_DEVICE says, or auto.
            """, valueName: "device"),
        transform: { text in
            guard let device = ComputeDevice(text) else {
                throw ValidationError("Choose auto, cpu, cuda, or cuda:N for one of several GPUs.")
            }
            return device
        })
    package var device: ComputeDevice?

    package init() {}

    /// Opens a model, and shows what a GPU's first use waits for.
    /// - Parameter weightBudget: what weights may take that stay in memory between sounds, in bytes.
    package func pipeline(modelAt path: String, weightBudget: Int = 0, quiet: Bool) async throws -> AudioLDM2Pipeline {
        let line = ProgressLine(quiet: quiet)
        defer { line.clear() }
        return try await AudioLDM2Pipeline(
            modelAt: path, threads: threads, device: device, weightBudget: weightBudget,
            notice: { line.show($0, share: 0) })
    }

    package func validate() throws {
        let range = AudioLDM2Pipeline.threadsRange
        if let threads, !range.contains(threads) {
            throw ValidationError("--threads \(threads): choose \(range.lowerBound) to \(range.upperBound).")
        }
    }
}
