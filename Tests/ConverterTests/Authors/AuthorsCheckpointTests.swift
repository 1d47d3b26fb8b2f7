import AudioLDM2
import AudioLDM2Converter
import AudioLDM2Diagnostics
import Checkpoints
import Foundation
import Tensors
import TestSupport
import Testing

@Suite struct AuthorsCheckpointTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func published(_ name: String, usesAverage: Bool = false) throws -> AuthorsCheckpoint {
        try AuthorsCheckpoint(
            ShapeSource(AuthorsFixture.published(name)), name: name, settings: AuthorsSettings(modelName: name),
            usesAverage: usesAverage)
    }

    private func config(_ checkpoint: any Checkpoint, _ component: String) throws -> [String: Any] {
        let bytes = try checkpoint.config("\(component)/config.json")
        return try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
    }

    /// The seven published files at full size: every key is mapped, a copy, or ignored by a rule.
    @Test(arguments: AuthorsFixture.publishedNames, [false, true])
    func everyPublishedKeyIsAccountedFor(name: String, usesAverage: Bool) throws {
        let checkpoint = try published(name, usesAverage: usesAverage)
        #expect(checkpoint.usage.count > 3000)
        #expect(checkpoint.usage.filter { $0.value == .unknown }.isEmpty)
        let unet = try checkpoint.weights(of: "unet")
        #expect(unet.tensors.keys.allSatisfy { !$0.contains("input_blocks") && !$0.contains("layers.") })
        #expect(checkpoint.hasAverage)
        let averages = checkpoint.usage.filter { $0.key.hasPrefix("model_ema.") && $0.value == .component("unet") }
        #expect(averages.count == (usesAverage ? unet.tensors.count : 0))
        // The models ask for every tensor that is given to them.
        _ = try CheckpointConverter(checkpoint, ConversionOptions())
    }

    @Test func readsSizesOffTheTensors() throws {
        let full = try published("audioldm2-full")
        let unet = try config(full, "unet")
        #expect(full.kind == .audioLDM2 && full.pipelineClass == "AudioLDM2Pipeline")
        #expect(unet["block_out_channels"] as? [Int] == [128, 256, 384, 640])
        #expect(unet["attention_head_dim"] as? [Int] == [4, 8, 12, 20], "heads of 32 channels")
        #expect(unet["sample_size"] as? Int == 256)
        let dims = try #require(unet["cross_attention_dim"] as? [[Any]])
        #expect(dims.count == 4 && dims[0][0] is NSNull && dims[0][1] as? Int == 768 && dims[0][2] as? Int == 1024)
        #expect(try config(full, "text_encoder_2")["num_heads"] as? Int == 16)
        #expect(try config(full, "language_model")["n_head"] as? Int == 12)
        #expect(try config(full, "vae")["scaling_factor"] as? Double == 0.41)
        let clap = try config(full, "text_encoder")
        #expect((clap["audio_config"] as? [String: Any])?["depths"] as? [Int] == [2, 2, 12, 2])
        #expect((clap["audio_config"] as? [String: Any])?["window_size"] as? Int == 8)

        let large = try config(published("audioldm2-full-large-1150k"), "unet")
        #expect(large["transformer_layers_per_block"] as? Int == 2)
        #expect((large["cross_attention_dim"] as? [[Any]])?[0].count == 4)

        let speech = try published("audioldm2-speech-ljspeech")
        #expect(speech.kind == .speech && speech.components["text_encoder_2"]?.className == "VitsModel")
        #expect(try config(speech, "text_encoder_2")["num_attention_heads"] as? Int == 2)
        #expect(try config(speech, "language_model")["max_new_tokens"] as? Int == 512)
        #expect(try config(speech, "projection_model")["max_seq_length"] as? Int == 310)
        #expect(try config(speech, "audiomae")["pool_time"] as? Int == 1)
        #expect(try config(speech, "audiomae")["pool_frequency"] as? Int == 1)
        #expect(try config(full, "audiomae")["pool_time"] as? Int == 8)
        #expect(try config(full, "audiomae")["target_length"] as? Int == 1024)
        #expect(try speech.weights(of: "projection_model").tensors["learnable_positional_embedding"] != nil)

        let wide = try published("audioldm_48k")
        #expect(wide.kind == .film)
        #expect(try config(wide, "vocoder")["sampling_rate"] as? Int == 48000)
        #expect(try config(wide, "vocoder")["upsample_rates"] as? [Int] == [6, 5, 4, 2, 2])
        #expect(try config(wide, "unet")["projection_class_embeddings_input_dim"] as? Int == 512)
        #expect(try config(wide, "unet")["sample_size"] as? Int == 128)
        #expect(try published("audioldm_16k_crossattn_t5").kind == .crossAttention)
    }

    /// Converted files compute what the authors' own modules do, with their heads of 32 channels.
    @Test(arguments: AuthorsFixture.names) func computesWhatTheAuthorsModulesDo(name: String) throws {
        let path = try folder.write(AuthorsFixture(name).encoded(), to: "\(name).pth")
        for usesAverage in [false, true] {
            var input = CheckpointInput(path: path)
            input.usesAverage = usesAverage
            let checkpoint = try input.open()
            let model = folder.file("\(usesAverage).aldm")
            let summary = try CheckpointConverter(checkpoint, ConversionOptions(weights: .float32)).convert(to: model)
            #expect(summary.missing.contains { $0.contains("--tokenizer") })
            let golden = try SafetensorsFile(
                path: Fixtures.folder("Authors").appendingPathComponent("golden.safetensors").path, name: "golden")
            let made = try ComponentTrace(opening: model).blockingRun(
                Self.inputs(golden, name, only: usesAverage ? "unet." : ""))
            #expect(made.map(\.name).contains("unet.eps"))
            for output in made {
                let key = usesAverage && output.name == "unet.eps" ? "average.eps" : output.name
                let expected = try golden.values("\(name)/\(key)")
                #expect(output.values.count >= expected.values.count, "\(output.name)")
                let error = relativeError(output.values.prefix(expected.values.count), expected.values)
                #expect(error < 2e-5, "\(name) \(output.name)")
            }
        }
    }

    /// CLAP is not among the components of the model that reads nothing but FLAN-T5.
    private static func isUnread(_ key: String, _ name: String) -> Bool {
        key.hasPrefix("clap.") && name == "audioldm_16k_crossattn_t5"
    }

    private static func inputs(_ golden: SafetensorsFile, _ name: String, only prefix: String) throws -> [NamedTensor] {
        let outputs = [
            "unet.eps", "average.eps", "vae.mel", "vocoder.waveform", "t5.hidden", "clap.text", "loa.output",
            "phoneme.hidden",
        ]
        return try golden.tensors.keys.sorted().filter { $0.hasPrefix(name + "/") }.compactMap { path in
            let key = String(path.dropFirst(name.count + 1))
            guard !outputs.contains(key), key.hasPrefix(prefix), !isUnread(key, name) else { return nil }
            let (shape, values) = try golden.values(path)
            return NamedTensor(name: key, shape: shape.extents, values: values)
        }
    }

    @Test func generatingNeedsTokenizers() async throws {
        let path = try folder.write(AuthorsFixture("audioldm2-full").encoded(), to: "full.pth")
        let model = folder.file("model.aldm")
        _ = try CheckpointConverter(CheckpointInput(path: path).open(), ConversionOptions()).convert(to: model)
        let error = await #expect(throws: AudioLDM2Error.self) {
            _ = try await AudioLDM2Pipeline(opening: model).generate("rain", options: SoundOptions(seconds: 1))
        }
        #expect(error?.description.contains("convert the checkpoint again with --tokenizer FOLDER") == true)
    }

    @Test func takesPartsFromOtherFolders() throws {
        let path = try folder.write(AuthorsFixture("audioldm2-full").encoded(), to: "full.pth")
        let tiny = CheckpointFixture(CheckpointFixture.names[0]).path
        var input = CheckpointInput(path: path)
        input.additions = [("tokenizer", "\(tiny)/tokenizer"), ("tokenizer_2", tiny), ("vocoder", "\(tiny)/vocoder")]
        let checkpoint = try input.open()
        #expect(checkpoint.components["vocoder"]?.className == "SpeechT5HifiGan")
        let description = try CheckpointDescription(checkpoint)
        #expect(description.kind == "AudioLDM 2" && description.missing.isEmpty && description.hasAverage == true)
        #expect(description.tokenizers == ["tokenizer", "tokenizer_2"] && description.copies > 0)
        let model = folder.file("model.aldm")
        var options = ConversionOptions()
        options.componentWeights = ["vocoder": .float16, "unet": .float32]
        let summary = try CheckpointConverter(checkpoint, options).convert(to: model)
        #expect(summary.missing.isEmpty && summary.weights == "int8, unet=float32, vocoder=float16")
        let formats = Dictionary(uniqueKeysWithValues: summary.components.map { ($0.name, $0.parametersByFormat) })
        #expect(formats["vocoder"]?["int8"] == nil && formats["vocoder"]?["float16"] != nil)
        #expect(formats["unet"].map { Array($0.keys) } == ["float32"] && formats["language_model"]?["int8"] != nil)
        options.componentWeights = ["unetz": .int8]
        #expect(throws: CheckpointError.self) { _ = try CheckpointConverter(checkpoint, options) }
        for wrong in [("vocodr", tiny), ("vae", "\(tiny)/unet"), ("tokenizer", "\(tiny)/tokenizer_2")] {
            input.additions = [wrong]
            #expect(throws: CheckpointError.self) { _ = try input.open() }
        }
    }

    @Test func refusesOtherFiles() throws {
        let path = try folder.write(
            ZipBuilder.checkpoint(PickleBuilder.dictionary { $0.tensor() }).encoded(), to: "x.pth")
        let error = try #require(throws: CheckpointError.self) { _ = try CheckpointInput(path: path).open() }
        #expect(error.description.contains("the UNet of x.pth"))
    }
}
