import ArgumentParser
import AudioLDM2

/// `--threads`, the same for every command that computes.
struct ThreadsOption: ParsableArguments {
    @Option(parsing: .unconditional, help: "Threads to compute with. Default: one per core.")
    var threads: Int?

    func validate() throws {
        let range = AudioLDM2Pipeline.threadsRange
        if let threads, !range.contains(threads) {
            throw ValidationError("--threads \(threads): choose \(range.lowerBound) to \(range.upperBound).")
        }
    }
}
