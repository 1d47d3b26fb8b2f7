import AudioLDM2
import AudioLDM2Converter
import AudioLDM2Diagnostics
import Foundation
import TestSupport
import Testing

/// What a user is told about files and options that cannot be used.
@Suite struct BadInputTests {
    private func refusal(_ path: String) -> String? {
        do {
            _ = try AudioLDM2Pipeline(opening: path)
            return nil
        } catch let error as AudioLDM2Error {
            return error.description
        } catch {
            Issue.record("\(path): \(error) is not an AudioLDM2Error")
            return nil
        }
    }

    @Test func missingFileIsNamed() throws {
        let message = try #require(refusal("/nonexistent/model.aldm"))
        #expect(message.contains("/nonexistent/model.aldm"))
    }

    @Test func foreignFilesAreRecognized() throws {
        let golden = ModelFixture.golden("tiny-2.56s")
        let message = try #require(refusal(golden))
        #expect(message.contains(golden) && message.contains("safetensors"))
    }

    @Test func truncatedAndDamagedModelsAreErrors() async throws {
        let whole = try Data(contentsOf: URL(fileURLWithPath: ModelFixture.path("tiny", .int8)))
        let path = NSTemporaryDirectory() + "/damaged-\(UUID().uuidString).aldm"
        defer { try? FileManager.default.removeItem(atPath: path) }

        try whole.prefix(whole.count / 2).write(to: URL(fileURLWithPath: path))
        let message = try #require(refusal(path))
        #expect(message.contains(path))

        var flipped = whole
        flipped[whole.count / 3] ^= 16
        try flipped.write(to: URL(fileURLWithPath: path))
        await #expect(throws: AudioLDM2Error.self) {
            let options = SoundOptions(seconds: 0.2, numInferenceSteps: 1)
            _ = try await AudioLDM2Pipeline(opening: path).generate("rain", options: options)
        }
        #expect(throws: AudioLDM2Error.self) { try ModelInspection.check(modelAt: path) }
    }

    @Test(arguments: [
        SoundOptions(seconds: 0.05), SoundOptions(seconds: .nan), SoundOptions(seconds: .infinity),
        SoundOptions(seconds: 1e9), SoundOptions(numInferenceSteps: 0),
        SoundOptions(numInferenceSteps: -1), SoundOptions(numInferenceSteps: 1_000_000),
        SoundOptions(guidanceScale: .nan), SoundOptions(guidanceScale: -1), SoundOptions(eta: 0.5),
        SoundOptions(scheduler: .ddim, eta: 2),
    ])
    func unusableOptionsAreErrors(_ options: SoundOptions) async throws {
        let pipeline = try AudioLDM2Pipeline(opening: ModelFixture.path("tiny", .int8))
        await #expect {
            try await pipeline.generate("rain", options: options)
        } throws: { error in
            (error as? AudioLDM2Error)?.kind == .invalidOption
        }
    }

    @Test(arguments: [0, -1, 100_000])
    func unusableThreadCountsAreErrors(_ threads: Int) throws {
        let model = try ModelFixture.path("tiny", .int8)
        #expect(throws: AudioLDM2Error.self) { try AudioLDM2Pipeline(opening: model, threads: threads) }
    }

    @Test func goldenFilesWithoutSettingsAreNamed() throws {
        let weights = Fixtures.folder("Checkpoints").appendingPathComponent(
            "tiny/vae/diffusion_pytorch_model.safetensors")
        #expect {
            try ModelVerification(opening: ModelFixture.path("tiny", .int8), goldenAt: weights.path)
        } throws: { error in
            "\(error)".contains(weights.path) && "\(error)".contains("prompt")
        }
    }
}
