import AudioLDM2
import AudioLDM2Converter
import Checkpoints
import Foundation
import TestSupport
import Testing
import WeightFile

/// Sounds from what was computed beforehand, and sounds ranked by CLAP.
@Suite struct ConditionTests {
    private let folder: TemporaryFolder
    private let model: String
    private let options = SoundOptions(negativePrompt: "noise", seconds: 0.5, numInferenceSteps: 2, seed: 3)

    init() throws {
        folder = try TemporaryFolder()
        model = try ModelFixture.path("tiny", .float32)
    }

    /// A pack of the tiny checkpoint with the fixtures' AudioMAE, whose vectors are as wide as the tiny model's.
    private func modelWithAudioMAE() throws -> String {
        try ModelFixture.path(
            "tiny", with: ["AudioMAE/audiomae"], in: folder, ConversionOptions(weights: .float32))
    }

    private func samples(_ prompt: String, _ options: SoundOptions, _ model: String? = nil) async throws -> [Float] {
        try await AudioLDM2Pipeline(opening: model ?? self.model).generate(prompt, options: options).clip.samples
    }

    @Test func aSavedConditionMakesThePromptsSound() async throws {
        let condition = try await AudioLDM2Pipeline(opening: model).condition(for: "a dog", options: options)
        try condition.write(to: folder.file("dog.cond"))
        var saved = options
        saved.condition = try SoundCondition(contentsOf: folder.file("dog.cond"))
        #expect(saved.condition == condition && !condition.isLanguageOfAudioAlone)
        #expect(condition.source == "a dog" && condition.negativePrompt == "noise")
        #expect(try await samples("", saved) == samples("a dog", options))
        saved.guidanceScale = 1
        var unguided = options
        unguided.guidanceScale = 1
        #expect(try await samples("", saved) == samples("a dog", unguided))
    }

    /// Both sides of guidance are read at once where they are equally long, and that changes no bit of them.
    @Test(arguments: WeightPreset.allCases) func textsThatAreReadTogether(_ weights: WeightPreset) throws {
        let context = try GenerationContext(
            Model(opening: ModelFixture.path("tiny", weights)), threads: 2, device: .cpu)
        let encoder = PromptEncoder(context: context)
        for prompt in ["a dog", "heavy rain and thunder while a dog barks twice in the distance"] {
            let texts = try encoder.tokenize(prompt, negative: "noise", speech: nil)
            #expect(texts.count == 2 && texts[0].second?.ids.count == texts[1].second?.ids.count)
            let together = try encoder.encode(texts)
            for (text, read) in zip(texts, together) {
                let alone = try encoder.encode([text])[0]
                #expect(try alone.states?.values() == read.states?.values())
                #expect(try alone.loa?.values() == read.loa?.values())
            }
        }
    }

    /// What a condition was made of is not said anew: nothing would come of it, and the record would be false.
    @Test func aSavedConditionHasItsOwnNegativePrompt() async throws {
        let pipeline = try AudioLDM2Pipeline(opening: model)
        var saved = options
        saved.condition = try await pipeline.condition(for: "a dog", options: options)
        saved.negativePrompt = ""
        #expect(try await pipeline.generate("", options: saved).record.negativePrompt == "noise")
        saved.negativePrompt = "wind"
        await #expect(throws: AudioLDM2Error.self) { try await pipeline.generate("", options: saved) }
        saved.negativePrompt = ""
        saved.speech = .phonemes("a")
        await #expect(throws: AudioLDM2Error.self) { try await pipeline.generate("", options: saved) }
        #expect(throws: AudioLDM2Error.self) { try pipeline.memoryPlan(options: saved) }
    }

    /// With a text encoder that cannot be read.
    @Test func aSavedConditionNeedsNoEncoders() async throws {
        let condition = try await AudioLDM2Pipeline(opening: model).condition(for: "a dog", options: options)
        let damaged = folder.file("damaged.aldm")
        var bytes = try Data(contentsOf: URL(fileURLWithPath: model))
        for component in ["text_encoder", "text_encoder_2", "projection_model", "language_model"] {
            let tensor = try #require(try Pack(opening: model).requiredComponent(component).tensors.first)
            bytes[tensor.storage.offset + 20] ^= 255
        }
        try bytes.write(to: URL(fileURLWithPath: damaged))
        var saved = options
        saved.condition = condition
        #expect(try await samples("", saved, damaged) == samples("a dog", options))
        await #expect(throws: AudioLDM2Error.self) { try await samples("a dog", options, damaged) }
    }

    @Test func aSoundsLanguageOfAudioTakesThePromptsPlaceOrIsMixedWithIt() async throws {
        let model = try modelWithAudioMAE()
        let tone = (0..<24000).map { Float(0.3 * sin(Double($0) * 0.05)) }
        try AudioClip(samples: tone, sampleRate: 44100).write(to: folder.file("tone.flac"))
        let loa = try await AudioLDM2Pipeline(opening: model).languageOfAudio(of: folder.file("tone.flac"))
        #expect(loa.isLanguageOfAudioAlone && loa.source == "tone.flac")
        var made: [[Float]] = []
        for weight: Float in [0, 0.5, 1] {
            var mixed = options
            (mixed.condition, mixed.audioWeight) = (loa, weight)
            made.append(try await samples("a dog", mixed, model))
        }
        #expect(try await made[0] == samples("a dog", options, model))
        #expect(Set(made).count == 3)
        await #expect(throws: AudioLDM2Error.self) {
            var wrong = options
            (wrong.condition, wrong.audioWeight) = (loa, 2)
            _ = try await samples("a dog", wrong, model)
        }
    }

    @Test func filesThatDoNotFitAreErrors() async throws {
        func refusal(_ tensors: [(String, [Int], [Float])], _ metadata: [String: String]) async throws -> String {
            let path = folder.file("wrong.cond")
            try SafetensorsWriter.write(
                tensors.map { ($0.0, .init($0.1), $0.2) }, metadata: metadata, to: path)
            do {
                var wrong = options
                wrong.condition = try SoundCondition(contentsOf: path)
                _ = try await samples("rain", wrong)
                return "no error"
            } catch let error as AudioLDM2Error { return error.description }
        }
        let format = ["format": "audioldm2-condition-1", "source": "x"]
        let loa = [Float](repeating: 0, count: 256)
        #expect(try await refusal([("loa", [1, 8, 32], loa)], [:]).contains("is not a condition"))
        try folder.write("a poem, and a long one\n", to: "poem.cond")
        let other = #expect(throws: AudioLDM2Error.self) { try SoundCondition(contentsOf: folder.file("poem.cond")) }
        #expect(other?.description.contains("is not a condition") == true)
        #expect(try await refusal([("unet", [1], [0])], format).contains("'unet'"))
        #expect(try await refusal([("loa", [1, 1, 1], [.nan])], format).contains("not numbers"))
        #expect(try await refusal([("loa", [1, 4, 64], loa)], format).contains("expected [1, n, 32]"))
        #expect(try await refusal([("loa", [1, 4, 32], Array(loa.prefix(128)))], format).contains("of one model"))
        #expect(try await refusal([("loa", [1, 0, 32], [])], format).contains("expected [1, n, 32]"))
        #expect(
            try await refusal([("loa", [1, 8, 32], loa), ("negative.loa", [1, 8, 32], loa)], format)
                .contains("'negative.states'"))
        #expect(throws: AudioLDM2Error.self) { try SoundCondition(contentsOf: model) }
        #expect(throws: AudioLDM2Error.self) { try SoundCondition(contentsOf: folder.file("absent")) }
        let outcome = try CommandRun("audioldm2", ["loa", "a.wav", "-m", model, "-o", folder.file("a.cond")])
        #expect(outcome.failed(naming: "audiomae"), "\(outcome.errors)")
    }

    /// UNet, VAE decoder and vocoder alone make sounds of saved conditions, and say what they cannot do.
    @Test func modelsWithoutEncoders() async throws {
        let small = folder.file("small.aldm")
        let convert = try CommandRun(
            "audioldm2-convert",
            [
                Fixtures.folder("Checkpoints").appendingPathComponent("tiny").path, "-o", small, "--weights",
                "float32", "--without", "encoders", "--quiet",
            ])
        #expect(convert.status == 0, "\(convert.errors)")
        let held = try Pack(opening: small).components.filter { !$0.tensors.isEmpty }.map(\.name)
        #expect(held == ["unet", "vae", "vocoder"])
        var saved = options
        saved.condition = try await AudioLDM2Pipeline(opening: model).condition(for: "a dog", options: options)
        #expect(try await samples("", saved, small) == samples("a dog", options))
        saved.memoryLimit = try AudioLDM2Pipeline(opening: small).memoryPlan(options: options).peakBytes
        #expect(try await samples("", saved, small) == samples("a dog", options))
        let output = folder.file("o.wav")
        let tone = folder.file("tone.wav")
        try AudioClip(samples: Array(repeating: 0.1, count: 8000), sampleRate: 16000).write(to: tone)
        for arguments in [
            ["generate", "a dog", "-o", output], ["encode", "a dog", "-o", output], ["score", "a dog", tone],
            ["generate", "a dog", "--candidates", "2", "-o", output],
        ] {
            let outcome = try CommandRun("audioldm2", arguments + ["-m", small])
            #expect(outcome.failed(naming: small, "text_encoder_2", "--condition"), "\(outcome.errors)")
        }
        let edit = try CommandRun("audioldm2", ["transform", tone, "a dog", "-o", output, "-m", small])
        #expect(edit.failed(naming: small), "\(edit.errors)")
        #expect(try CommandRun("audioldm2", ["inspect", small]).output.contains("left out"))
        #expect(try CommandRun("audioldm2", ["inspect", small, "--plan"]).status == 0)
    }

    @Test func theCommandsDoTheSame() throws {
        let (condition, output) = (folder.file("dog.cond"), folder.file("dog.wav"))
        #expect(try CommandRun("audioldm2", ["encode", "a dog", "-m", model, "-o", condition]).status == 0)
        let short = ["-m", model, "--seconds", "0.5", "--steps", "2", "--seed", "3"]
        #expect(
            try CommandRun("audioldm2", ["generate", "--condition", condition, "-o", output] + short).status == 0)
        #expect(
            try CommandRun("audioldm2", ["generate", "a dog", "-o", folder.file("same.wav")] + short).status == 0)
        #expect(
            try Data(contentsOf: URL(fileURLWithPath: output)).suffix(16000)
                == Data(contentsOf: URL(fileURLWithPath: folder.file("same.wav"))).suffix(16000))
        let several = try CommandRun(
            "audioldm2", ["generate", "a dog", "--candidates", "3", "--keep", "2", "-o", output, "--json"] + short)
        let summaries = try #require(
            try JSONSerialization.jsonObject(with: Data(several.output.utf8)) as? [[String: Any]])
        #expect(summaries.count == 2 && summaries.allSatisfy { $0["score"] is Double })
        #expect(try folder.contents().filter { $0.hasPrefix("dog-") } == ["dog-1.wav", "dog-2.wav"])
        let wrong = try CommandRun("audioldm2", ["generate", "a dog", "--condition", condition, "-o", output] + short)
        #expect(wrong.status == 64 && wrong.errors.contains("leave the prompt out"))
        #expect(try CommandRun("audioldm2", ["generate", "-o", output] + short).status == 64)
    }
}
