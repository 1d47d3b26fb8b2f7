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

    /// Its files lie in the folder itself, so no message speaks of `text_encoder/`.
    @Test(arguments: [
        ("config.json", #""num_hidden_layers": 2"#, #""num_hidden_layers": "two""#), ("config.json", "{", "["),
        ("preprocessor_config.json", #""feature_size": 64"#, #""feature_size": "many""#),
        ("tokenizer_config.json", "{", "["), ("model.safetensors", nil, nil),
    ])
    func messagesNameItsFiles(file: String, text: String?, replacement: String?) throws {
        let clap = folder.file("clap")
        let path = "\(clap)/\(file)"
        let content = try Data(contentsOf: URL(fileURLWithPath: path))
        try FileManager.default.removeItem(atPath: path)
        if let text, let replacement {
            let changed = try #require(String(data: content, encoding: .utf8)).replacing(text, with: replacement)
            try #require(changed.contains(replacement))
            try Data(changed.utf8).write(to: URL(fileURLWithPath: path))
        }
        for name in [clap, clap + "/"] {
            let error = #expect(throws: (any Error).self) {
                try CheckpointConverter(CheckpointInput(path: name).open(), ConversionOptions())
            }
            let message = "\(try #require(error))"
            #expect(message.hasPrefix(path), "\(message)")
            #expect(!message.contains("text_encoder") && !message.contains("feature_extractor"), "\(message)")
        }
    }

    /// What says how sounds are made means nothing to what makes none.
    @Test func optionsOfSoundsAreRefused() throws {
        let clap = folder.file("clap")
        func message(_ change: (inout ConversionOptions) -> Void) throws -> String {
            var options = ConversionOptions()
            change(&options)
            let error = #expect(throws: AudioLDM2Error.self) {
                try CheckpointConverter(CheckpointInput(path: clap).open(), options)
            }
            #expect(error?.kind == .invalidOption)
            return error?.description ?? ""
        }
        #expect(try message { $0.without = ["clap_audio"] }.hasPrefix("--without: clap is a network by itself"))
        #expect(try message { $0.vocoder = .griffinLim }.hasPrefix("--vocoder: "))
        let all = try message {
            $0.without = ["text_encoder"]
            $0.profile = .authors
            $0.vocoder = .hifigan
        }
        #expect(all.hasPrefix("--without, --profile, --vocoder: "))
        let tokenizer = Fixtures.folder("Checkpoints").appendingPathComponent("tiny/tokenizer_2").path
        var input = CheckpointInput(path: clap)
        input.additions = [("tokenizer_2", tokenizer)]
        let error = #expect(throws: AudioLDM2Error.self) { try CheckpointDescription(input.open()) }
        #expect(error?.kind == .invalidOption && error?.description.contains("tokenizer_2") == true)
    }

    /// As of a whole model, whose parts are asked the same.
    @Test func moreIDsThanItsEmbeddingHasRows() throws {
        let config = folder.file("clap") + "/tokenizer_config.json"
        let text = try String(contentsOfFile: config, encoding: .utf8)
        let extra = (0..<1000).map { #""<one more \#($0)>""# }.joined(separator: ", ")
        try FileManager.default.removeItem(atPath: config)
        try #"{"additional_special_tokens": [\#(extra)],\#(text.dropFirst())"#.write(
            toFile: config, atomically: true, encoding: .utf8)
        let error = #expect(throws: (any Error).self) {
            try CheckpointConverter(CheckpointInput(path: folder.file("clap")).open(), ConversionOptions())
        }
        #expect("\(try #require(error))".contains("has ids up to"))
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
