import ArgumentParser
import AudioLDM2

/// `--threads` and `--device`, the same for every command that computes.
struct ComputeOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: "Threads of the CPU to compute with. Default: one per core.")
    var threads: Int?

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
    var device: ComputeDevice?

    func validate() throws {
        let range = AudioLDM2Pipeline.threadsRange
        if let threads, !range.contains(threads) {
            throw ValidationError("--threads \(threads): choose \(range.lowerBound) to \(range.upperBound).")
        }
    }
}
