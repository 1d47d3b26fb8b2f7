import AudioLDM2Converter
import Checkpoints
import Foundation
import TestSupport
import Testing

@Suite struct AuthorsSettingsTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// In the form of the authors' files (AudioLDM-training-finetuning), with other numbers.
    private static let configuration = """
        metadata_root: "./data/dataset.json"
        variables:
          sampling_rate: &sampling_rate 24000
          latent_t_size: &latent_t_size 128 # might need to change
          mel_bins: &mel_bins 64
        data:
          train: ["audiocaps", "wavcaps"]
        preprocessing:
          audio:
            sampling_rate: *sampling_rate
            duration: 10.24
        model:
          target: some.module.LatentDiffusion
          params:
            # Autoencoder
            first_stage_config:
              base_learning_rate: 8.0e-06
              params:
                ddconfig:
                  ch_mult:
                  - 1
                  - 2
            linear_start: 0.002
            linear_end: 1.5e-2
            timesteps: 500
            parameterization: v # [eps, x0, v]
            latent_t_size: *latent_t_size
            unet_config:
              params:
                context_dim:
                - 768
                -
                model_channels: 32
                attention_resolutions:
                - 8
                num_head_channels: "16"
            cond_stage_config:
              crossattn_audiomae_generated:
                params:
                  sequence_gen_length: 128
                  cond_stage_config:
                    film_clap_cond1:
                      params: {sampling_rate: 48000, embed_mode: text}
                    crossattn_audiomae_pooled:
                      params:
                        eval_time_pooling: 4
                        eval_freq_pooling: 100
        """

    private func settings(_ text: String) throws -> AuthorsSettings {
        var settings = AuthorsSettings(modelName: "audioldm-l-full.ckpt")
        try settings.read(configuration: folder.write(text, to: "config.yaml"))
        return settings
    }

    @Test func readsTrainingConfigurations() throws {
        let settings = try settings(Self.configuration)
        #expect(settings.headWidth == 16 && settings.modelChannels == 32 && settings.samplingRate == 24000)
        #expect(settings.betaStart == 0.002 && settings.betaEnd == 0.015 && settings.trainingSteps == 500)
        #expect(settings.predictionType == "v_prediction" && settings.latentFrames == 128)
        #expect(settings.languageLength == 128 && settings.poolTime == 4 && settings.poolFrequency == 100)
        #expect(AuthorsSettings(modelName: "audioldm-l-full.ckpt").headWidth == 64)
        #expect(AuthorsSettings(modelName: "audioldm2-full.pth") == AuthorsSettings())
    }

    @Test func configurationsSettleTheModel() throws {
        var input = CheckpointInput(path: try folder.write(AuthorsFixture("audioldm2-full").encoded(), to: "full.pth"))
        input.configuration = try folder.write(Self.configuration, to: "config.yaml")
        func config(_ path: String) throws -> [String: Any] {
            let json = try JSONSerialization.jsonObject(with: Data(try input.open().config(path)))
            return try #require(json as? [String: Any])
        }
        #expect(try config("unet/config.json")["attention_head_dim"] as? [Int] == [2, 4])
        #expect(try config("unet/config.json")["sample_size"] as? Int == 128)
        #expect(try config("vocoder/config.json")["sampling_rate"] as? Int == 24000)
        #expect(try config("language_model/config.json")["max_new_tokens"] as? Int == 128)
        let scheduler = try config("scheduler/scheduler_config.json")
        #expect(scheduler["num_train_timesteps"] as? Int == 500 && scheduler["beta_end"] as? Double == 0.015)
        #expect(scheduler["prediction_type"] as? String == "v_prediction")

        let other = Self.configuration.replacing("model_channels: 32", with: "model_channels: 128")
        input.configuration = try folder.write(other, to: "other.yaml")
        let error = try #require(throws: CheckpointError.self) { _ = try config("unet/config.json") }
        #expect(error.description.contains("is 128, but the UNet of full.pth has 32"))
    }

    @Test(arguments: [
        ("num_head_channels: \"16\"", "num_head_channels: many"), ("timesteps: 500", "timesteps: 0"),
        ("linear_start: 0.002", "linear_start: nan"), ("parameterization: v", "parameterization: z"),
        ("sampling_rate: *sampling_rate", "sampling_rate: [1]"), ("unet_config:", "unet:"),
        ("eval_time_pooling: 4", "eval_time_pooling: -4"), ("timesteps: 500", "timesteps: *nothing"),
    ])
    func refusesWhatCannotBe(found: String, replacement: String) {
        let text = Self.configuration.replacing(found, with: replacement)
        #expect(throws: CheckpointError.self) { _ = try settings(text) }
    }

    /// The symbols of speech are in no file: the authors' code has them.
    @Test func speechNeedsNoTokenizerOfPhonemes() throws {
        let path = try folder.write(AuthorsFixture("audioldm2-speech-ljspeech").encoded(), to: "speech.pth")
        var input = CheckpointInput(path: path)
        #expect(try CheckpointDescription(input.open()).tokenizers == ["tokenizer_2"])
        input.additions = [("tokenizer", "\(CheckpointFixture("tiny-tts").path)/tokenizer")]
        let model = folder.file("speech.aldm")
        let summary = try CheckpointConverter(input.open(), ConversionOptions(without: ["audiomae"])).convert(to: model)
        #expect(summary.missing.isEmpty)
    }
}
