import Files
import FuzzTargets
@preconcurrency import Glibc

/// Inputs that are kept, read one after the other.
struct Replay {
    private let target: FuzzTarget

    init(_ target: FuzzTarget) { self.target = target }

    /// - Parameter paths: of files and folders.
    /// - Returns: 1 if reading one took too long or too much, or it was refused in an improper way. What crashes, crashes:
    ///   the last line names it.
    func run(_ paths: [String]) throws -> Int32 {
        let files = try paths.flatMap { path in
            FileName.isFolder(path)
                ? try FileName.contents(ofFolder: path).sorted().map { path + "/" + $0 } : [path]
        }
        var (findings, read, slowest, largest) = (0, 0, 0.0, 0)
        for file in files {
            let bytes = try InputReader.bytes(file)
            // Without a line end, so that it is there if the process ends.
            fputs("\(target.name) \(file)\n", stderr)
            let outcome = Measured(target, bytes)
            read += outcome.isRead ? 1 : 0
            (slowest, largest) = (max(slowest, outcome.seconds), max(largest, outcome.bytes))
            for fault in outcome.faults {
                print("FINDING \(target.name) \(file): \(fault)")
                findings += 1
            }
        }
        print(
            "\(target.name): \(files.count) inputs, \(read) read, at most \(Int(slowest * 1000)) ms and \(largest >> 20) MiB, "
                + "\(findings) findings")
        return findings == 0 ? 0 : 1
    }
}

/// An input, and what reading it took.
struct Measured {
    let isRead: Bool
    let seconds: Double
    /// More than before.
    let bytes: Int
    let faults: [String]

    init(_ target: FuzzTarget, _ input: [UInt8]) {
        Memory.beginPeak()
        let start = Self.processorSeconds
        let result = target.run(input)
        seconds = Self.processorSeconds - start
        bytes = Memory.peak
        isRead = result.refusal == nil
        var faults: [String] = []
        if let error = result.refusal, !result.isTyped { faults.append("\(type(of: error)): \(error)") }
        if seconds > FuzzLimits.seconds { faults.append("took \(seconds) s") }
        if bytes > FuzzLimits.bytes + result.declaredBytes { faults.append("took \(bytes >> 20) MiB") }
        self.faults = faults
    }

    /// Of the process, so that waiting for others does not count.
    static var processorSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}

enum InputReader {
    /// - Throws: `FileError`.
    static func bytes(_ path: String) throws -> [UInt8] { try RegularFile.contents(of: path, limit: 1 << 30) }
}
