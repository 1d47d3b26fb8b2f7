import Foundation

/// What scenarios work with: made once, by our own commands, and only read afterwards.
final class Material {
    let folder: String
    /// What all of it lies in.
    private let base: String
    /// Folder of the commands.
    let products: String
    /// The library before the allocator.
    let allocator: String
    let checkpoint: String
    let runs: String

    init(_ options: FaultBench) throws {
        // Commands run in other folders.
        base = Self.absolute(options.work ?? NSTemporaryDirectory() + "/audioldm2-faults-\(getpid())")
        folder = base + "/material"
        runs = base + "/runs"
        products = Self.absolute(options.products)
        allocator = Self.absolute(options.allocator)
        checkpoint = Self.absolute(options.fixtures) + "/Checkpoints/tiny"
        for folder in [folder, runs] {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        }
        try make("audioldm2-convert", [checkpoint, "-o", model, "--no-calibrate", "-q"])
        // Raw weights are used where they are in the file.
        try make(
            "audioldm2-convert",
            [checkpoint, "-o", rawModel, "--no-calibrate", "-q", "--compression", "none", "--weights", "float16"])
        for (sound, seed) in [(sound, "1"), (otherSound, "2")] {
            try make(
                "audioldm2",
                ["generate", "a", "-m", model, "-o", sound, "--seconds", "0.6", "--steps", "1", "--seed", seed, "-q"])
        }
        let lines = (1...3).map {
            #"{"prompt": "a", "seconds": 0.3, "steps": 1, "seed": \#($0), "output": "\#($0).wav"}"# + "\n"
        }
        try Data(lines.joined().utf8).write(to: URL(fileURLWithPath: batch))
        for (system, sound) in [("one", sound), ("two", otherSound)] {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(system)", withIntermediateDirectories: true)
            try FileManager.default.copyItem(atPath: sound, toPath: "\(folder)/\(system)/a.wav")
        }
    }

    var model: String { folder + "/tiny.aldm" }
    var rawModel: String { folder + "/raw.aldm" }
    var sound: String { folder + "/sound.wav" }
    var otherSound: String { folder + "/other.wav" }
    var batch: String { folder + "/lines.jsonl" }

    /// What was made; the folder itself only if nothing else is in it.
    func remove() {
        for made in [folder, runs] { try? FileManager.default.removeItem(atPath: made) }
        rmdir(base)
    }

    private static func absolute(_ path: String) -> String {
        URL(fileURLWithPath: path).standardizedFileURL.path
    }

    private func make(_ command: String, _ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "\(products)/\(command)")
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(["AUDIOLDM2_DEVICE": "cpu"]) { $1 }
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw BenchError("\(command) \(arguments) does not work at all") }
    }
}

struct BenchError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
