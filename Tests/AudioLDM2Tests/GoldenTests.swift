import AudioLDM2
import AudioLDM2Converter
import AudioLDM2Diagnostics
import Foundation
import Testing

/// Against what diffusers computes from the same checkpoints.
@Suite struct GoldenTests {
    struct Golden: Sendable, CustomTestStringConvertible {
        let checkpoint: String
        let name: String
        var testDescription: String { name }

        static let all = [
            Golden(checkpoint: "tiny", name: "tiny-2.56s"), Golden(checkpoint: "tiny", name: "tiny-1.7s"),
            Golden(checkpoint: "tiny-large", name: "tiny-large-2.56s"),
            Golden(checkpoint: "tiny-large", name: "tiny-large-3.3s"),
            Golden(checkpoint: "tiny-tts", name: "tiny-tts-2.56s"),
            Golden(checkpoint: "audioldm1-tiny", name: "audioldm1-tiny-2.56s"),
            Golden(checkpoint: "audioldm1-tiny-48k", name: "audioldm1-tiny-48k-0.64s"),
        ]
    }

    @Test(arguments: Golden.all, WeightPreset.allCases)
    func everyStageAgrees(_ golden: Golden, _ weights: WeightPreset) throws {
        let report = try verify(golden, weights)
        for row in report.rows where row.status == .failed {
            Issue.record("\(row.name): \(row.relativeError ?? .nan), allowed \(row.tolerance ?? .nan)")
        }
        #expect(report.passed)
        #expect(report.weights == weights.rawValue)
        #expect(!report.rows.contains { $0.status == .notComputed })
        #expect(report.rows.count { $0.name.hasPrefix("latents.") } == 6)
    }

    /// The tolerances above are for large models; these stand a factor of ten under what float32 may lose here.
    @Test(arguments: Golden.all)
    func float32IsExactButForRounding(_ golden: Golden) throws {
        for row in try verify(golden, .float32).rows {
            if let error = row.relativeError { #expect(error < 1e-5, "\(row.name)") }
        }
    }

    @Test func dumpHoldsOurTensorsInTheGoldenFilesOrder() throws {
        let path = NSTemporaryDirectory() + "/dump-\(UUID().uuidString).safetensors"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let golden = Golden.all[0]
        let model = try ModelFixture.path(golden.checkpoint, .float32)
        _ = try ModelVerification(opening: model, goldenAt: ModelFixture.golden(golden.name)).blockingRun(dumpTo: path)
        let (ours, theirs) = (
            try GoldenTensors(path), try GoldenTensors(ModelFixture.golden(golden.name))
        )
        for name in ["latents.final", "mel", "waveform", "loa", "negative.second.hidden"] {
            let (a, b) = (try ours.values(name), try theirs.values(name))
            #expect(a.shape == b.shape, "\(name)")
            #expect(zip(a.values, b.values).allSatisfy { abs($0 - $1) <= 1e-3 * max(1, abs($1)) }, "\(name)")
        }
    }

    @Test func anotherModelsGoldenFileFails() throws {
        let report = try ModelVerification(
            opening: ModelFixture.path("tiny", .float32), goldenAt: ModelFixture.golden("tiny-large-2.56s")
        ).blockingRun()
        #expect(!report.passed)
        #expect(report.rows.first { $0.name == "unet.eps.0" }?.status == .failed)
    }

    private func verify(_ golden: Golden, _ weights: WeightPreset) throws -> VerificationReport {
        try ModelVerification(
            opening: ModelFixture.path(golden.checkpoint, weights), goldenAt: ModelFixture.golden(golden.name)
        ).blockingRun()
    }
}
