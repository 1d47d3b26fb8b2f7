import AudioLDM2Converter
import Foundation
import Synchronization
import TestSupport

/// Packs made from the checkpoints in `Tests/Fixtures`, each converted once per run.
enum ModelFixture {
    private static let made = Mutex<[String: String]>([:])

    /// Path of the pack of a checkpoint: "tiny" or "tiny-large".
    static func path(_ checkpoint: String, _ weights: WeightPreset) throws -> String {
        try made.withLock { made in
            let key = "\(checkpoint)-\(weights.rawValue)"
            if let path = made[key] { return path }
            let path = NSTemporaryDirectory() + "/audioldm2-\(key)-\(ProcessInfo.processInfo.processIdentifier).aldm"
            let folder = Fixtures.folder("Checkpoints").appendingPathComponent(checkpoint).path
            _ = try CheckpointConverter(DiffusersFolder(path: folder), ConversionOptions(weights: weights))
                .convert(to: path)
            atexitRemove(path)
            made[key] = path
            return path
        }
    }

    /// A pack of a checkpoint with other fixtures' parts beside its own.
    /// - Parameters:
    ///   - parts: folders in `Tests/Fixtures`, "AudioMAE/audiomae".
    ///   - folder: where it and what it is made of are written.
    static func path(
        _ checkpoint: String, with parts: [String], in folder: TemporaryFolder, _ options: ConversionOptions
    ) throws -> String {
        let copy = folder.file("checkpoint")
        try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: true)
        let source = Fixtures.folder("Checkpoints").appendingPathComponent(checkpoint)
        let own = try FileManager.default.contentsOfDirectory(at: source, includingPropertiesForKeys: nil)
        for part in own + parts.map({ Fixtures.folder(".").appendingPathComponent($0) }) {
            try? FileManager.default.createSymbolicLink(
                atPath: "\(copy)/\(part.lastPathComponent)", withDestinationPath: part.standardized.path)
        }
        let path = folder.file("with-\(options.weights.rawValue).aldm")
        _ = try CheckpointConverter(DiffusersFolder(path: copy), options).convert(to: path)
        return path
    }

    static func golden(_ name: String) -> String {
        Fixtures.folder("Goldens").appendingPathComponent(name + ".safetensors").path
    }

    private static func atexitRemove(_ path: String) {
        removals.withLock { $0.append(path) }
        if removals.withLock({ $0.count }) == 1 {
            atexit { ModelFixture.removals.withLock { for path in $0 { unlink(path) } } }
        }
    }

    private static let removals = Mutex<[String]>([])
}
