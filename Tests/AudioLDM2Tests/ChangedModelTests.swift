import AudioLDM2
import AudioLDM2Converter
import Foundation
import TestSupport
import Testing

/// Models that somebody writes to, or cuts, while they are used: no other sound, no silent end.
@Suite struct ChangedModelTests {
    private let folder: TemporaryFolder
    private let model: String

    /// A pack of raw weights, which are used in place.
    init() throws {
        folder = try TemporaryFolder()
        model = folder.file("model.aldm")
        let checkpoint = Fixtures.folder("Checkpoints").appendingPathComponent("tiny").path
        let options = ConversionOptions(weights: .float16, compression: .none)
        _ = try CheckpointConverter(DiffusersFolder(path: checkpoint), options).convert(to: model)
    }

    /// Does something to the file when the denoiser is at work.
    private func generate(_ change: @Sendable () throws -> Void) async throws {
        let pipeline = try AudioLDM2Pipeline(opening: model, threads: 1, device: .cpu)
        var options = SoundOptions(seconds: 2, seed: 1)
        options.numInferenceSteps = 60
        let events = pipeline.events("a dog", options: options)
        let isChanged = try await withTaskExecutorPreference(OwnExecutor()) {
            var isChanged = false
            for try await event in events {
                guard case .progress(let progress) = event, progress.stage == .denoising, !isChanged else { continue }
                isChanged = true
                try change()
            }
            return isChanged
        }
        #expect(isChanged)
    }

    @Test func changedWeightsAreAnError() async throws {
        let error = await #expect(throws: AudioLDM2Error.self) {
            try await generate {
                let file = try FileHandle(forUpdating: URL(fileURLWithPath: model))
                let size = Int(try file.seekToEnd())
                // Nearly all of the file, in place.
                try file.seek(toOffset: UInt64(size / 10))
                try file.write(contentsOf: Data(repeating: 0x11, count: size * 8 / 10))
                try file.close()
            }
        }
        #expect(
            error?.description.contains("\(model): was changed while it was used: unet.") == true, "\(error as Any)")
    }

    /// Raw weights that stay for the next sound are still those of the file.
    @Test func changedWeightsThatWereKeptAreAnError() async throws {
        let pipeline = try AudioLDM2Pipeline(opening: model, threads: 1, device: .cpu, weightBudget: .max)
        let options = SoundOptions(seconds: 0.5, numInferenceSteps: 2, seed: 1)
        let first = try await pipeline.generate("a dog", options: options).clip
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: model))
        let size = Int(try file.seekToEnd())
        // Touched, with the same contents: the same sound.
        try file.seek(toOffset: UInt64(size / 2))
        let byte = try #require(try file.read(upToCount: 1))
        try file.seek(toOffset: UInt64(size / 2))
        try file.write(contentsOf: byte)
        #expect(try await pipeline.generate("a dog", options: options).clip == first)
        try file.seek(toOffset: UInt64(size / 10))
        try file.write(contentsOf: Data(repeating: 0x11, count: size * 8 / 10))
        try file.close()
        let error = await #expect(throws: AudioLDM2Error.self) {
            try await pipeline.generate("a dog", options: options)
        }
        #expect(error?.description.contains("\(model): was changed while it was used") == true, "\(error as Any)")
    }

    @Test func replacedModelsAreUsedToTheEnd() async throws {
        try await generate {
            try folder.write("another", to: "new")
            try #require(rename(folder.file("new"), model) == 0)
        }
    }

    @Test func modelsThatAreCutShortAreNamed() throws {
        let output = folder.file("a.wav")
        let outcome = try CommandRun(
            "audioldm2", ["generate", "a", "-m", model, "-o", output, "--seconds", "100", "--steps", "900"],
            script: "timeout 100 \"$command\" \"$@\" & sleep 2; truncate -s 100 \(model); wait $!")
        #expect(outcome.failed(naming: model), "\(outcome.status) \(outcome.errors)")
        #expect(try folder.contents() == ["model.aldm"])
    }
}
