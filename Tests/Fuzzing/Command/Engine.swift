import FuzzDriver
import FuzzTargets
@preconcurrency import Glibc

/// libFuzzer, which makes inputs up, led by what they reach.
enum Engine {
    /// What its function, which takes no context, reads with.
    nonisolated(unsafe) private static var target: FuzzTarget?

    private static let targetVariable = "AUDIOLDM2_FUZZ_TARGET"

    /// In a process that libFuzzer started.
    static var targetOfParent: String? { getenv(targetVariable).map { String(cString: $0) } }

    /// - Returns: its exit status.
    static func run(_ target: FuzzTarget, _ options: [String]) -> Int32 {
        guard fuzz_has_engine() != 0 else {
            print("built without libFuzzer: use make fuzz")
            return 64
        }
        self.target = target
        setenv(targetVariable, target.name, 1)
        var arguments: [UnsafeMutablePointer<CChar>?] =
            ([CommandLine.arguments[0]] + options).map { strdup($0) } + [nil]
        return arguments.withUnsafeMutableBufferPointer { buffer in
            var count = Int32(buffer.count - 1)
            var start = buffer.baseAddress
            return fuzz_run(&count, &start) { bytes, count in
                Engine.read(Array(UnsafeBufferPointer(start: bytes, count: count)))
            }
        }
    }

    private static func read(_ bytes: [UInt8]) -> Int32 {
        guard let target else { return 0 }
        let outcome = Measured(target, bytes)
        guard outcome.faults.isEmpty else {
            fputs("FINDING \(target.name): \(outcome.faults.joined(separator: "; "))\n", stderr)
            // libFuzzer keeps the input.
            abort()
        }
        return 0
    }
}
