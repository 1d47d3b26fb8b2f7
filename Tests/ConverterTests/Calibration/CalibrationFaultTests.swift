import AudioLDM2
import AudioLDM2Converter
import AudioLDM2Diagnostics
import Foundation
import TestSupport
import Testing

/// What calibration says of checkpoints that it cannot run.
@Suite struct CalibrationFaultTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func message(_ change: (OutlierCheckpoint) throws -> Void) throws -> String {
        let checkpoint = try OutlierCheckpoint(in: folder)
        try change(checkpoint)
        var options = ConversionOptions()
        var calibration = CalibrationOptions()
        calibration.request.seconds = 0.64
        options.calibration = calibration
        let error = try #require(throws: (any Error).self) {
            _ = try checkpoint.fixture.convert(options, to: folder.path + "/model.aldm")
        }
        #expect(try folder.contents() == ["checkpoint"])
        return "\(error)"
    }

    @Test(arguments: [Float.nan, .infinity]) func aWeightThatIsNoNumber(_ value: Float) throws {
        let message = try message { checkpoint in
            try checkpoint.change("unet") { $0["mid_block.resnets.0.conv1.weight"]?.values[7] = value }
        }
        #expect(message.contains("unet") && message.contains("'mid_block.resnets.0.conv1.weight': row 0"), "\(message)")
    }

    /// Sums that float32 cannot hold are named by the product that reads them.
    @Test func sumsThatOverflow() throws {
        let message = try message { checkpoint in
            try checkpoint.change("unet") { tensors in
                for name in ["conv_in.weight", "conv_in.bias"] {
                    for index in tensors[name]?.values.indices ?? 0..<0 { tensors[name]?.values[index] *= 1e37 }
                }
            }
        }
        #expect(message.contains("unet.") && message.contains("infinite or not a number"), "\(message)")
    }

    @Test func promptsThatCannotBeUsed() throws {
        for (text, part) in [
            ("\n \n", "holds 0 prompts"), (String(repeating: "rain\n", count: 17), "holds 17 prompts"),
        ] {
            let file = try folder.write(text, to: "prompts.txt")
            #expect {
                try PromptFile.prompts(at: file, most: CalibrationOptions.mostPrompts)
            } throws: { "\($0)".contains(part) && "\($0)".contains("prompts.txt") }
        }
        let file = try folder.write("  rain \r\n\nwind", to: "prompts.txt")
        #expect(try PromptFile.prompts(at: file, most: CalibrationOptions.mostPrompts) == ["rain", "wind"])
    }

    @Test func modelsOfTwoCheckpointsAreNotCompared() throws {
        let paths = try ["tiny", "tiny-large"].map { name in
            let path = folder.path + "/\(name).aldm"
            _ = try CheckpointFixture(name).convert(ConversionOptions(weights: .float16), to: path)
            return path
        }
        #expect {
            try ModelComparison(opening: paths[0], against: paths[1], prompts: ["rain"])
        } throws: { "\($0)".contains("unet differ") }
        let report = try ModelComparison(opening: paths[0], against: paths[0], prompts: ["rain"], seconds: 0.64)
            .blockingRun()
        #expect(report.passed && report.rows.count == 8 && report.rows.allSatisfy { $0.relativeError == 0 })
    }
}
