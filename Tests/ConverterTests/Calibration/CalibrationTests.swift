import AudioLDM2
import AudioLDM2Converter
import AudioLDM2Diagnostics
import Foundation
import Tensors
import TestSupport
import Testing
import WeightFile

/// Checkpoints with outliers, against what diffusers computes from the same function without them.
@Suite struct CalibrationTests {
    private let folder: TemporaryFolder
    private let golden = Fixtures.folder("Goldens").appendingPathComponent("tiny-2.56s.safetensors").path
    private var output: String { folder.path + "/model.aldm" }

    init() throws { folder = try TemporaryFolder() }

    private var calibrated: ConversionOptions {
        var options = ConversionOptions(compression: .none)
        var calibration = CalibrationOptions()
        calibration.request.prompts = ["a dog barks"]
        calibration.request.seconds = 0.64
        options.calibration = calibration
        return options
    }

    /// The errors of a converted checkpoint by what was compared.
    private func errors(
        _ fixture: CheckpointFixture, _ options: ConversionOptions
    ) throws -> (errors: [String: Double], summary: ConversionSummary) {
        let summary = try fixture.convert(options, to: output)
        let report = try ModelVerification(opening: output, goldenAt: golden).blockingRun()
        return (Dictionary(uniqueKeysWithValues: report.rows.map { ($0.name, $0.relativeError ?? .nan) }), summary)
    }

    @Test(arguments: [10, 40, 100] as [Float]) func outliersAreMoved(_ factor: Float) throws {
        let plain = try errors(CheckpointFixture("tiny"), ConversionOptions(compression: .none)).errors
        let checkpoint = try OutlierCheckpoint(in: folder)
        try checkpoint.addOutliers(factor)
        let before = try errors(checkpoint.fixture, ConversionOptions(compression: .none)).errors
        let (after, summary) = try errors(checkpoint.fixture, calibrated)
        for name in ["unet.eps.0", "second.hidden"] {
            let (plain, before, after) = (plain[name] ?? .nan, before[name] ?? .nan, after[name] ?? .nan)
            #expect(after <= 1.3 * plain, "\(name): \(plain) without outliers, \(after) with them")
            if factor > 10 { #expect(before > 1.5 * after, "\(name): \(before), \(after)") }
        }
        #expect((after["unet.eps.0"] ?? .nan) <= 3e-2)
        let unet = try #require(summary.calibration?.components.first { $0.name == "unet" })
        #expect(unet.moves > 20 && unet.kept.isEmpty && unet.addedBytes == 0 && unet.isMet)
        #expect(unet.errorAfter < unet.errorBefore)
    }

    @Test func whatCannotBeMovedStaysFloat() throws {
        let checkpoint = try OutlierCheckpoint(in: folder)
        try checkpoint.addResidualOutliers(40)
        let exact = folder.path + "/exact.aldm"
        _ = try checkpoint.fixture.convert(ConversionOptions(weights: .float32, compression: .none), to: exact)
        func error(_ options: ConversionOptions) throws -> (Double, CalibrationReport.Component?) {
            let summary = try checkpoint.fixture.convert(options, to: output)
            let comparison = try ModelComparison(
                opening: output, against: exact, prompts: ["a dog barks"], seconds: 0.64)
            let row = try comparison.blockingRun().rows.first { $0.name == "unet.eps" }
            return (row?.relativeError ?? .nan, summary.calibration?.components.first { $0.name == "unet" })
        }
        let (before, _) = try error(ConversionOptions(compression: .none))
        let (after, report) = try error(calibrated)
        let unet = try #require(report)
        #expect(before > 0.1 && unet.errorBefore > 0.1)
        #expect(unet.isMet && unet.largestAfter <= 3e-2)
        #expect(abs(after - unet.largestAfter) < 2e-3, "what is written is what was judged: \(after)")
        #expect(!unet.kept.isEmpty && unet.kept.allSatisfy { $0.weight.hasSuffix(".weight") })
        let stored = try StoredWeights(path: output)
        for kept in unet.kept {
            let description = try #require(stored.weights["unet.\(kept.weight)"]).description
            let storage: (WeightFormat, ActivationMode) =
                switch kept.storage {
                case .scaled: (.int8, .scaled)
                case .weightOnly: (.int8, .float)
                case .float16: (.float16, .float)
                }
            #expect((description.format, description.activation) == storage)
        }
    }

    /// What is over a target that cannot be met is said.
    @Test func aMissedTargetIsSaid() throws {
        var options = calibrated
        options.calibration?.targetError = 1e-3
        let summary = try CheckpointFixture("tiny").convert(options, to: output)
        let unet = try #require(summary.calibration?.components.first { $0.name == "unet" })
        #expect(unet.target == 1e-3 && unet.errorAfter < unet.errorBefore)
        #expect(summary.calibration?.description.contains("over its target of 1.0e-03") == !unet.isMet)
    }

    @Test func writesTheSameBytesAgain() throws {
        let checkpoint = try OutlierCheckpoint(in: folder)
        try checkpoint.addOutliers(40)
        var options = calibrated
        let files = try [1, 3].map { threads in
            options.threads = threads
            _ = try checkpoint.fixture.convert(options, to: output)
            return try Data(contentsOf: URL(fileURLWithPath: output))
        }
        #expect(files[0] == files[1])
    }

    @Test func thePackKeepsTheRecord() throws {
        let summary = try CheckpointFixture("tiny").convert(calibrated, to: output)
        let report = try #require(try ModelInspection(modelAt: output).calibration)
        #expect(report == summary.calibration)
        #expect(report.prompts == ["a dog barks"] && report.seconds == 0.64)
        #expect(
            report.components.map(\.name) == [
                "text_encoder", "text_encoder_2", "language_model", "unet", "vae", "vocoder", "vae_encoder",
                "clap_audio",
            ])
        for component in report.components {
            #expect(component.errorBefore > 0 && component.errorAfter <= component.errorBefore)
            #expect(!component.peaks.isEmpty && component.peaks.allSatisfy { $0.largest >= $0.median })
        }
        _ = try CheckpointFixture("tiny").convert(ConversionOptions(), to: output)
        #expect(try ModelInspection(modelAt: output).calibration == nil)
    }

    /// FLAN-T5's states pass 65504, the most that float16 holds.
    @Test func statesPastFloat16() throws {
        let checkpoint = try OutlierCheckpoint(in: folder)
        try checkpoint.enlargeStates(1e6)
        for options in [ConversionOptions(compression: .none), calibrated] {
            let (errors, _) = try errors(checkpoint.fixture, options)
            #expect((errors["second.hidden"] ?? .nan) <= 5e-2)
        }
    }
}
