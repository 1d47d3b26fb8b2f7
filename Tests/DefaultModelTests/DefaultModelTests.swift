import Audio
import AudioLDM2
import AudioLDM2DefaultModel
import Foundation
import TestSupport
import Testing

@Suite struct DefaultModelTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func theModelIsWholeAndSmall() throws {
        let path = try DefaultModel.path()
        try ModelInspection.check(modelAt: path)
        let size = try #require(FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
        #expect(size <= 25 << 20)
    }

    /// As `make model` makes it.
    @Test func theModelIsWhatTheConverterMakesOfItsCheckpoint() throws {
        let checkpoint = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../Weights/checkpoint").standardized.path
        let made = folder.file("made.aldm")
        let run = try CommandRun(
            "audioldm2-convert", [checkpoint, "--output", made, "--compression", "19", "--quiet"])
        #expect(run.status == 0, "\(run.errors)")
        let (ours, theirs) = try (made, DefaultModel.path())
        #expect(FileManager.default.contentsEqual(atPath: ours, andPath: theirs))
    }

    @Test func aProgramFindsItAmongItsResourcesOrInShare() throws {
        let (program, share) = (folder.url.appendingPathComponent("bin"), "share/audioldm2")
        #expect {
            try DefaultModel.path(beside: program)
        } throws: { error in
            (error as? AudioLDM2Error)?.kind == .modelFile && "\(error)".contains("share/audioldm2/default.aldm")
        }
        for place in [share, "bin/AudioLDM2_AudioLDM2DefaultModel.resources"] {
            let home = folder.url.appendingPathComponent(place)
            try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
            let file = home.appendingPathComponent("default.aldm")
            try Data().write(to: file)
            #expect(try DefaultModel.path(beside: program) == file.path)
        }
    }

    @Test func aCommandNeedsNoModel() throws {
        let output = folder.file("rain.wav")
        let made = try CommandRun(
            "audioldm2", ["generate", "heavy rain", "-o", output, "--seed", "1", "--seconds", "2", "--steps", "10"])
        #expect(made.status == 0 && made.errors.isEmpty)
        let sound = try SoundFile.read(output)
        #expect(sound.samples.count == 32000 && sound.samples.contains { abs($0) > 0.01 })
        let inspected = try CommandRun("audioldm2", ["inspect"])
        #expect(inspected.status == 0 && inspected.output.contains("cc-by-sa-4.0"))
    }

    @Test func theLibraryOpensIt() throws {
        #expect(try AudioLDM2Pipeline.ofDefaultModel().sampleRate == 16000)
    }
}
