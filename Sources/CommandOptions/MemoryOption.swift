import ArgumentParser
import AudioLDM2

/// `--memory-limit`, the same for every command that computes.
package struct MemoryOption: ParsableArguments {
    @Option(
        name: .customLong("memory-limit"),
        help:
            "Memory that the work may take: 256M, 1.5G; on a GPU, of its own. Pages of the model file do not count. Default: what is fastest.",
        transform: bytes)
    package var limit: Int?

    package init() {}

    /// A number of bytes as people write it.
    /// - Throws: `ValidationError`.
    @Sendable package static func bytes(_ text: String) throws -> Int {
        guard let bytes = MemoryPlan.bytes(text) else {
            throw ValidationError("choose a number with K, M or G, such as 400M.")
        }
        return bytes
    }
}
