import Checkpoints
import FoundationEssentials

/// Configurations as the published folders have them, from the shapes of the authors' tensors.
///
/// What no shape tells is the same in all of the authors' models: heads of 64 channels in RoBERTa and GPT-2, 32 groups in
/// norms, their epsilons, activations.
enum AuthorsConfigs {
    typealias Config = [String: Any]

    private static let textHeadWidth = 64
    private static let groups = 32

    static func encode(_ config: Config) throws -> [UInt8] {
        try ConfigText(config).bytes()
    }

    static func heads(_ width: Int) -> Int { max(width / textHeadWidth, 1) }

    static func clap(_ shapes: PartShapes) throws -> Config {
        let embeddings = "text_branch.embeddings"
        let width = try shapes.extent("\(embeddings).word_embeddings.weight", 1)
        let projection = try shapes.extent("text_projection.2.weight", 0)
        var config: Config = [
            "architectures": ["ClapModel"], "model_type": "clap", "projection_dim": projection,
            "projection_hidden_act": "relu",
            "text_config": [
                "vocab_size": try shapes.extent("\(embeddings).word_embeddings.weight", 0), "hidden_size": width,
                "num_hidden_layers": shapes.count { "text_branch.encoder.layer.\($0).output.dense.weight" },
                "num_attention_heads": heads(width),
                "intermediate_size": try shapes.extent("text_branch.encoder.layer.0.intermediate.dense.weight", 0),
                "max_position_embeddings": try shapes.extent("\(embeddings).position_embeddings.weight", 0),
                "type_vocab_size": try shapes.extent("\(embeddings).token_type_embeddings.weight", 0),
                "pad_token_id": 1, "layer_norm_eps": 1e-5, "hidden_act": "gelu", "projection_hidden_act": "relu",
                "projection_dim": projection, "position_embedding_type": "absolute",
            ] as Config,
        ]
        if shapes.has("audio_branch.patch_embed.proj.weight") {
            config["audio_config"] = try clapAudio(shapes, projection: projection)
        }
        return config
    }

    private static func clapAudio(_ shapes: PartShapes, projection: Int) throws -> Config {
        let layers = shapes.count { "audio_branch.layers.\($0).blocks.0.norm1.weight" }
        let table = "attn.relative_position_bias_table"
        let patch = try shapes.extent("audio_branch.patch_embed.proj.weight", 2)
        // (2 w − 1)² relative places in a window of w × w.
        let places = try shapes.extent("audio_branch.layers.0.blocks.0.\(table)", 0)
        let width = try shapes.extent("audio_branch.patch_embed.proj.weight", 0)
        return [
            "model_type": "clap_audio_model", "spec_size": 256,
            "num_mel_bins": try shapes.extent("audio_branch.bn0.weight", 0),
            "patch_size": patch, "patch_stride": [patch, patch], "patch_embeds_hidden_size": width,
            "patch_embed_input_channels": try shapes.extent("audio_branch.patch_embed.proj.weight", 1),
            "depths": (0..<layers).map { layer in
                shapes.count { "audio_branch.layers.\(layer).blocks.\($0).norm1.weight" }
            },
            "num_attention_heads": try (0..<layers).map {
                try shapes.extent("audio_branch.layers.\($0).blocks.0.\(table)", 1)
            },
            "window_size": (Int(Double(places).squareRoot()) + 1) / 2,
            "hidden_size": try shapes.extent("audio_branch.norm.weight", 0), "num_hidden_layers": layers,
            "mlp_ratio": Double(try shapes.extent("audio_branch.layers.0.blocks.0.mlp.fc1.weight", 0))
                / Double(max(width, 1)),
            "projection_dim": projection, "projection_hidden_act": "relu", "hidden_act": "gelu",
            "layer_norm_eps": 1e-5, "enable_fusion": false, "enable_patch_layer_norm": true,
            "flatten_patch_embeds": true, "qkv_bias": true, "num_classes": 527,
        ]
    }

    static func t5(_ shapes: PartShapes) throws -> Config {
        let attention = "encoder.block.0.layer.0.SelfAttention"
        let heads = try shapes.extent("\(attention).relative_attention_bias.weight", 1)
        return [
            "architectures": ["T5EncoderModel"], "model_type": "t5",
            "vocab_size": try shapes.extent(
                shapes.has("encoder.embed_tokens.weight") ? "encoder.embed_tokens.weight" : "shared.weight", 0),
            "d_model": try shapes.extent("\(attention).q.weight", 1),
            "d_kv": try shapes.extent("\(attention).q.weight", 0) / max(heads, 1),
            "d_ff": try shapes.extent("encoder.block.0.layer.1.DenseReluDense.wo.weight", 1),
            "num_layers": shapes.count { "encoder.block.\($0).layer.1.DenseReluDense.wo.weight" }, "num_heads": heads,
            "relative_attention_num_buckets": try shapes.extent("\(attention).relative_attention_bias.weight", 0),
            "relative_attention_max_distance": 128, "layer_norm_epsilon": 1e-6, "feed_forward_proj": "gated-gelu",
            "pad_token_id": 0, "eos_token_id": 1,
        ]
    }

    static func phonemes(_ shapes: PartShapes) throws -> Config {
        let encoder = "encoder"
        let width = try shapes.extent("emb.weight", 1)
        return [
            "architectures": ["VitsModel"], "model_type": "vits",
            "vocab_size": try shapes.extent("emb.weight", 0), "hidden_size": width,
            "num_hidden_layers": shapes.count { "\(encoder).attn_layers.\($0).conv_q.weight" },
            "num_attention_heads": width / max(try shapes.extent("\(encoder).attn_layers.0.emb_rel_k", 2), 1),
            "window_size": (try shapes.extent("\(encoder).attn_layers.0.emb_rel_k", 1) - 1) / 2,
            "ffn_dim": try shapes.extent("\(encoder).ffn_layers.0.conv_1.weight", 0),
            "ffn_kernel_size": try shapes.extent("\(encoder).ffn_layers.0.conv_1.weight", 2),
            "flow_size": width, "hidden_act": "relu", "layer_norm_eps": 1e-5, "use_bias": true, "num_speakers": 1,
        ]
    }

    static func projection(_ shapes: PartShapes) throws -> Config {
        let positions = "cond_stage_models.1.learnable_positional_embedding"
        var config: Config = [
            "_class_name": "AudioLDM2ProjectionModel",
            "text_encoder_dim": try shapes.extent("input_sequence_embed_linear.0.weight", 1),
            "text_encoder_1_dim": try shapes.extent("input_sequence_embed_linear.1.weight", 1),
            "langauge_model_dim": try shapes.extent("input_sequence_embed_linear.0.weight", 0),
        ]
        // The reference asks only whether the key is there.
        if shapes.has(positions) {
            config["use_learned_position_embedding"] = true
            config["max_seq_length"] = try shapes.extent(positions, 2)
        }
        return config
    }

    /// - Parameter newTokens: vectors of the language of audio.
    static func gpt2(_ shapes: PartShapes, newTokens: Int) throws -> Config {
        let width = try shapes.extent("wpe.weight", 1)
        return [
            "architectures": ["GPT2Model"], "model_type": "gpt2", "n_embd": width, "n_head": heads(width),
            "n_layer": shapes.count { "h.\($0).ln_1.weight" },
            "n_inner": try shapes.extent("h.0.mlp.c_fc.weight", 1),
            "n_positions": try shapes.extent("wpe.weight", 0), "layer_norm_epsilon": 1e-5,
            "activation_function": "gelu_new", "max_new_tokens": newTokens,
            "vocab_size": try shapes.extent("wte.weight", 0),
        ]
    }

    /// - Parameter frames: of latents that a sound of 10.24 s has.
    static func unet(_ unet: UNetStructure, headWidth: Int, frames: Int) throws -> Config {
        let attends = unet.levels.map { !$0.contextWidths.isEmpty }
        var config: Config = [
            "sample_size": frames, "in_channels": unet.inChannels, "out_channels": unet.outChannels,
            "block_out_channels": unet.levels.map(\.channels), "layers_per_block": unet.layerCount,
            "down_block_types": attends.map { $0 ? "CrossAttnDownBlock2D" : "DownBlock2D" },
            "up_block_types": attends.reversed().map { $0 ? "CrossAttnUpBlock2D" : "UpBlock2D" },
            "mid_block_type": "UNetMidBlock2DCrossAttn",
            // Despite its name the number of heads.
            "attention_head_dim": unet.levels.map { max($0.channels / headWidth, 1) },
            "transformer_layers_per_block": unet.levels.map(\.depth).max() ?? 1,
            "norm_num_groups": groups, "norm_eps": 1e-5, "flip_sin_to_cos": true, "freq_shift": 0,
            "conv_in_kernel": 3, "conv_out_kernel": 3, "downsample_padding": 1, "act_fn": "silu",
            "mid_block_scale_factor": 1, "resnet_time_scale_shift": "default", "use_linear_projection": false,
            "time_embedding_type": "positional",
        ]
        // AudioLDM 1 has a transformer at each place, which reads nothing but the feature map.
        let isPlain = unet.transformerCount == 1 && unet.contextWidths == [nil]
        config["_class_name"] = isPlain ? "UNet2DConditionModel" : "AudioLDM2UNet2DConditionModel"
        let widths: [Any] = unet.contextWidths.map { $0.map { $0 as Any } ?? ConfigText.Null() }
        config["cross_attention_dim"] = unet.levels.map { isPlain ? $0.channels as Any : widths }
        if let filmWidth = unet.filmWidth {
            config["class_embed_type"] = "simple_projection"
            config["class_embeddings_concat"] = true
            config["projection_class_embeddings_input_dim"] = filmWidth
        }
        return config
    }

    static func autoencoder(_ shapes: PartShapes, scalingFactor: Float) throws -> Config {
        let levels = shapes.count { "decoder.up.\($0).block.0.norm1.weight" }
        return [
            "_class_name": "AutoencoderKL", "in_channels": try shapes.extent("encoder.conv_in.weight", 1),
            "out_channels": try shapes.extent("decoder.conv_out.weight", 0),
            "latent_channels": try shapes.extent("post_quant_conv.weight", 1),
            "block_out_channels": try (0..<levels).map {
                try shapes.extent("decoder.up.\($0).block.0.conv1.weight", 0)
            },
            "layers_per_block": shapes.count { "decoder.up.0.block.\($0).norm1.weight" } - 1,
            "down_block_types": Array(repeating: "DownEncoderBlock2D", count: levels),
            "up_block_types": Array(repeating: "UpDecoderBlock2D", count: levels),
            "norm_num_groups": groups, "act_fn": "silu", "sample_size": 1024,
            // As a decimal number it is the float32 that the file holds.
            "scaling_factor": Decimal(string: "\(scalingFactor)") as Any,
        ]
    }

    /// Upsampling rates by the sizes of the kernels that go with them, in the authors' vocoders.
    private static let rates = [[16, 16, 8, 4, 4]: [5, 4, 2, 2, 2], [12, 10, 8, 4, 4]: [6, 5, 4, 2, 2]]

    static func vocoder(_ shapes: PartShapes, samplingRate: Int?) throws -> Config {
        let stages = shapes.count { "ups.\($0).bias" }
        let kernels = try (0..<stages).map { try shapes.extent("ups.\($0).weight", 2) }
        guard let rates = rates[kernels] else {
            throw CheckpointError.invalidTensor(
                file: shapes.source.name, tensor: "\(shapes.prefix)ups.0.weight",
                reason: "belongs to a vocoder with kernels of \(kernels), which is not one of the authors'")
        }
        let blocks = shapes.count { "resblocks.\($0).convs1.0.bias" } / max(stages, 1)
        return [
            "architectures": ["SpeechT5HifiGan"], "model_type": "hifigan",
            "model_in_dim": try shapes.extent("conv_pre.weight", 1),
            "upsample_initial_channel": try shapes.extent("conv_pre.weight", 0), "upsample_rates": rates,
            "upsample_kernel_sizes": kernels,
            "resblock_kernel_sizes": try (0..<blocks).map { try shapes.extent("resblocks.\($0).convs1.0.weight", 2) },
            "resblock_dilation_sizes": (0..<blocks).map { block in
                (0..<shapes.count { "resblocks.\(block).convs1.\($0).bias" }).map { 2 * $0 + 1 }
            },
            // Frames are 10 ms apart.
            "sampling_rate": samplingRate ?? 100 * rates.reduce(1, *), "leaky_relu_slope": 0.1,
            "normalize_before": false,
        ]
    }

    /// - Parameters:
    ///   - poolTime, poolFrequency: patches for each vector of the language of audio. More than there are mean all, as in
    ///     the authors' code.
    static func audioMAE(_ shapes: PartShapes, poolTime: Int, poolFrequency: Int) throws -> Config {
        let width = try shapes.extent("patch_embed.proj.weight", 0)
        let layers = shapes.count { "blocks.\($0).norm1.weight" }
        let (patch, bands) = (try shapes.extent("patch_embed.proj.weight", 2), 128)
        // One position is the class token's, the others are patches of all bands, frame by frame.
        let positions = try shapes.extent("pos_embed", 1) - 1
        let bandPatches = max(bands / patch, 1)
        return [
            "sampling_rate": 16000, "num_mel_bins": bands,
            "target_length": positions * patch / bandPatches,
            "feature_mean": -4.2677393, "feature_std": 4.5689974, "patch_size": patch, "hidden_size": width,
            "num_hidden_layers": layers, "num_attention_heads": heads(width),
            "intermediate_size": try shapes.extent("blocks.0.mlp.fc1.weight", 0), "layer_norm_eps": 1e-6,
            "first_averaged_layer": layers - 3, "pool_time": min(poolTime, max(positions / bandPatches, 1)),
            "pool_frequency": min(poolFrequency, bandPatches),
        ]
    }

    static func scheduler(_ settings: AuthorsSettings) -> Config {
        [
            "_class_name": "DDIMScheduler", "num_train_timesteps": settings.trainingSteps,
            "beta_start": Decimal(string: "\(settings.betaStart)") as Any,
            "beta_end": Decimal(string: "\(settings.betaEnd)") as Any, "beta_schedule": "scaled_linear",
            "timestep_spacing": "leading", "steps_offset": 1, "set_alpha_to_one": false, "clip_sample": false,
            "prediction_type": settings.predictionType,
        ]
    }
}
