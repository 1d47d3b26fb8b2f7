import AudioLDM2
import AudioLDM2Converter
import Foundation
import TestSupport
import Testing

/// A model file without a denoiser: CLAP, converted from a folder as transformers saves it.
@Suite struct JudgeTests {
    private let folder: TemporaryFolder
    private let judge: String

    init() throws {
        folder = try TemporaryFolder()
        let checkpoint = Fixtures.folder("Checkpoints").appendingPathComponent("tiny")
        let clap = folder.file("clap")
        try FileManager.default.createDirectory(atPath: clap, withIntermediateDirectories: true)
        for part in ["text_encoder", "tokenizer", "feature_extractor"] {
            let source = checkpoint.appendingPathComponent(part)
            for file in try FileManager.default.contentsOfDirectory(at: source, includingPropertiesForKeys: nil) {
                try FileManager.default.createSymbolicLink(
                    atPath: "\(clap)/\(file.lastPathComponent)", withDestinationPath: file.path)
            }
        }
        judge = folder.file("clap.aldm")
        _ = try CheckpointConverter(CheckpointInput(path: clap).open(), ConversionOptions(weights: .float32))
            .convert(to: judge)
    }

    @Test func itJudgesAsTheWholeModelDoes() throws {
        let model = try ModelFixture.path("tiny", .float32)
        let files = ["a.wav", "b.wav"].map { folder.file($0) }
        for (number, file) in files.enumerated() {
            let samples = (0..<16000).map { Float(sin(Double($0) * 0.03 * Double(number + 1))) }
            try AudioClip(samples: samples, sampleRate: 16000).write(to: file)
        }
        let scores = try SoundScorer(opening: judge).blockingScores(of: files, for: "a dog")
        #expect(scores.count == 2 && scores[0].score != scores[1].score)
        #expect(try SoundScorer(opening: model).blockingScores(of: files, for: "a dog") == scores)
    }

    @Test func itSaysWhatItIsAndMakesNoSounds() throws {
        let inspection = try ModelInspection(modelAt: judge)
        #expect(inspection.family == "judges" && inspection.abilities == [.score])
        #expect(inspection.components.map(\.name) == ["text_encoder", "clap_audio"])
        let whole = try ModelInspection(modelAt: ModelFixture.path("tiny", .float32))
        #expect(whole.family == "audioldm2" && whole.abilities == [.generate, .edit, .score])
        let speech = try ModelInspection(modelAt: ModelFixture.path("tiny-tts", .float32))
        #expect(speech.family == "audioldm2-speech" && speech.abilities.first == .speak)
        let first = try ModelInspection(modelAt: ModelFixture.path("audioldm1-tiny", .float32))
        #expect(first.family == "audioldm" && first.abilities.contains(.generate))
        let refusal = #expect(throws: AudioLDM2Error.self) { try AudioLDM2Pipeline(opening: judge) }
        #expect(refusal?.kind == .modelFile && refusal?.description.contains("makes no sounds") == true)
        #expect(refusal?.description.contains("score") == true)
    }

    @Test func whatDoesNotBelongToItIsRefused() throws {
        let clap = folder.file("clap")
        #expect(
            try CheckpointDescription(CheckpointInput(path: clap).open()).components.map(\.name) == ["text_encoder"])
        var input = CheckpointInput(path: clap)
        input.additions = [("vae", Fixtures.folder("Checkpoints").appendingPathComponent("tiny/vae").path)]
        #expect(throws: (any Error).self) { try CheckpointConverter(input.open(), ConversionOptions()) }
        let config = clap + "/tokenizer_config.json"
        try FileManager.default.removeItem(atPath: config)
        try Data("{".utf8).write(to: URL(fileURLWithPath: config))
        #expect(throws: (any Error).self) { try CheckpointInput(path: clap).open() }
    }

    @Test func aFolderOfAnotherNetworkIsRefused() throws {
        let other = folder.file("bert")
        try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: true)
        for (config, expected) in [
            (#"{"architectures": ["BertModel"]}"#, "BertModel"), ("{}", "names no class"), ("[]", "config.json"),
        ] {
            try Data(config.utf8).write(to: URL(fileURLWithPath: other + "/config.json"))
            do {
                _ = try CheckpointInput(path: other).open()
                Issue.record("\(config) was taken")
            } catch {
                #expect("\(error)".contains(expected), "\(error)")
            }
        }
    }
}
