import AudioLDM2
import Converter
import Foundation
import TestSupport
import Testing

/// The parts of a model that take sound in, and models without them.
@Suite struct ListeningTests {
    @Test func verifySaysWhatAModelWithoutExtrasDoesNotCompute() throws {
        let folder = try TemporaryFolder()
        let source = Fixtures.folder("Checkpoints").appendingPathComponent("tiny").path
        _ = try CheckpointConverter(
            DiffusersFolder(path: source), ConversionOptions(without: Set(CheckpointLayout.extras.map(\.name)))
        ).convert(to: folder.file("bare.aldm"))
        let report = try Verification(
            modelAt: folder.file("bare.aldm"), goldenAt: ModelFixture.golden("tiny-1.7s")
        ).run()
        #expect(report.passed)
        #expect(report.rows.first { $0.name == "vae.encode.mean" }?.status == .notComputed)
    }
}
