import AudioLDM2
import Foundation
import TestSupport
import Testing
import WeightFile

/// Configurations are input: what is not understood is refused by name, and nothing is sized by nonsense.
@Suite struct ConfigurationTests {
    private func json(_ component: String, changing key: String? = nil, to value: Any? = nil) throws -> Data {
        let url = Fixtures.folder("Checkpoints").appendingPathComponent("tiny/\(component)/config.json")
        var object = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any])
        if let key { object[key] = value }
        return try JSONSerialization.data(withJSONObject: object)
    }

    private func refuses<Config: ModelConfig>(
        _ type: Config.Type, _ component: String, _ key: String, _ value: Any?
    ) throws -> Bool {
        _ = try Config.read(json(component), component: component)
        do {
            _ = try Config.read(json(component, changing: key, to: value), component: component)
            return false
        } catch let error as ConfigError {
            return error.description.contains(component) && error.description.contains(key)
        }
    }

    @Test func unknownValuesAreRefusedByName() throws {
        #expect(try refuses(UNetConfig.self, "unet", "act_fn", "mish"))
        #expect(try refuses(UNetConfig.self, "unet", "time_embedding_type", "fourier"))
        #expect(try refuses(UNetConfig.self, "unet", "class_embed_type", "timestep"))
        #expect(try refuses(UNetConfig.self, "unet", "down_block_types", ["A", "B", "C"]))
        #expect(try refuses(VAEConfig.self, "vae", "latents_mean", [0.5]))
        #expect(try refuses(T5Config.self, "text_encoder_2", "feed_forward_proj", "relu"))
        #expect(try refuses(GPT2Config.self, "language_model", "activation_function", "swish"))
    }

    @Test func nonsenseExtentsAreRefused() throws {
        #expect(try refuses(UNetConfig.self, "unet", "block_out_channels", [Int]()))
        #expect(try refuses(UNetConfig.self, "unet", "block_out_channels", [16, Int.max, 48]))
        #expect(try refuses(UNetConfig.self, "unet", "norm_num_groups", 0))
        #expect(try refuses(UNetConfig.self, "unet", "sample_size", Int.max))
        #expect(try refuses(UNetConfig.self, "unet", "attention_head_dim", 7))
        #expect(try refuses(UNetConfig.self, "unet", "layers_per_block", -3))
        #expect(try refuses(VAEConfig.self, "vae", "scaling_factor", 0))
        #expect(try refuses(HiFiGANConfig.self, "vocoder", "upsample_rates", [0, 4, 2, 2, 2]))
        #expect(try refuses(HiFiGANConfig.self, "vocoder", "sampling_rate", 0))
        #expect(try refuses(T5Config.self, "text_encoder_2", "num_layers", 1 << 40))
        #expect(try refuses(T5Config.self, "text_encoder_2", "relative_attention_max_distance", 8))
        #expect(try refuses(GPT2Config.self, "language_model", "n_head", 5))
    }

    /// Bounds that depend on each other must not trap where one of them is nonsense.
    @Test func paddingBehindTheLastPositionIsRefused() throws {
        var text =
            try #require(
                try JSONSerialization.jsonObject(with: json("text_encoder")) as? [String: Any])["text_config"]
            as? [String: Any]
        text?["vocab_size"] = 5_000_000
        text?["pad_token_id"] = 2_000_000
        #expect(throws: ConfigError.self) {
            try CLAPConfig.read(json("text_encoder", changing: "text_config", to: text), component: "text_encoder")
        }
    }

    @Test func missingKeysAndWrongTypesAreNamed() throws {
        #expect(try refuses(UNetConfig.self, "unet", "in_channels", nil))
        #expect(try refuses(UNetConfig.self, "unet", "in_channels", "eight"))
        #expect(throws: ConfigError.self) { try UNetConfig.read(Data("{".utf8), component: "unet") }
    }

    /// Numbers that are possible each, and make more weights than any model has.
    @Test func moreWeightsThanAnyModelHas() throws {
        var object = try #require(JSONSerialization.jsonObject(with: json("unet")) as? [String: Any])
        object["layers_per_block"] = 256
        object["transformer_layers_per_block"] = 256
        let error = #expect(throws: PackError.self) {
            try UNet.requirements(config: JSONSerialization.data(withJSONObject: object), component: "unet")
        }
        guard case .impossibleRequirement = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }
}
