/// The audio half of `text_encoder/config.json` of transformers' `ClapModel`.
package struct CLAPAudioConfig: ModelConfig {
    package struct Audio: Decodable, Sendable {
        let specSize: Int
        let numMelBins: Int
        let patchSize: Int
        let patchEmbedsHiddenSize: Int
        let depths: [Int]
        let numAttentionHeads: [Int]
        let windowSize: Int
        let mlpRatio: Float
        let qkvBias: Bool
        let layerNormEps: Float
        let hiddenAct: String
        let projectionHiddenAct: String?
        let enableFusion: Bool?
        let enablePatchLayerNorm: Bool?
        let flattenPatchEmbeds: Bool?
        let patchEmbedInputChannels: Int?
        fileprivate let patchStride: [Int]

        enum CodingKeys: String, CodingKey {
            case specSize = "spec_size"
            case numMelBins = "num_mel_bins"
            case patchSize = "patch_size"
            case patchEmbedsHiddenSize = "patch_embeds_hidden_size"
            case depths
            case numAttentionHeads = "num_attention_heads"
            case windowSize = "window_size"
            case mlpRatio = "mlp_ratio"
            case qkvBias = "qkv_bias"
            case layerNormEps = "layer_norm_eps"
            case hiddenAct = "hidden_act"
            case projectionHiddenAct = "projection_hidden_act"
            case enableFusion = "enable_fusion"
            case enablePatchLayerNorm = "enable_patch_layer_norm"
            case flattenPatchEmbeds = "flatten_patch_embeds"
            case patchEmbedInputChannels = "patch_embed_input_channels"
            case patchStride = "patch_stride"
        }

        package init(from decoder: any Decoder) throws {
            // Published configs leave out what equals transformers' ClapAudioConfig defaults.
            let container = try decoder.container(keyedBy: CodingKeys.self)
            specSize = try container.decodeIfPresent(Int.self, forKey: .specSize) ?? 256
            numMelBins = try container.decodeIfPresent(Int.self, forKey: .numMelBins) ?? 64
            patchSize = try container.decodeIfPresent(Int.self, forKey: .patchSize) ?? 4
            patchEmbedsHiddenSize = try container.decodeIfPresent(Int.self, forKey: .patchEmbedsHiddenSize) ?? 96
            depths = try container.decodeIfPresent([Int].self, forKey: .depths) ?? [2, 2, 6, 2]
            numAttentionHeads = try container.decodeIfPresent([Int].self, forKey: .numAttentionHeads) ?? [4, 8, 16, 32]
            windowSize = try container.decodeIfPresent(Int.self, forKey: .windowSize) ?? 8
            mlpRatio = try container.decodeIfPresent(Float.self, forKey: .mlpRatio) ?? 4
            qkvBias = try container.decodeIfPresent(Bool.self, forKey: .qkvBias) ?? true
            layerNormEps = try container.decodeIfPresent(Float.self, forKey: .layerNormEps) ?? 1e-5
            hiddenAct = try container.decodeIfPresent(String.self, forKey: .hiddenAct) ?? "gelu"
            projectionHiddenAct = try container.decodeIfPresent(String.self, forKey: .projectionHiddenAct)
            enableFusion = try container.decodeIfPresent(Bool.self, forKey: .enableFusion)
            enablePatchLayerNorm = try container.decodeIfPresent(Bool.self, forKey: .enablePatchLayerNorm)
            flattenPatchEmbeds = try container.decodeIfPresent(Bool.self, forKey: .flattenPatchEmbeds)
            patchEmbedInputChannels = try container.decodeIfPresent(Int.self, forKey: .patchEmbedInputChannels)
            patchStride = try container.decodeIfPresent([Int].self, forKey: .patchStride) ?? [4, 4]
        }
    }

    package let audioConfig: Audio
    /// Width of the joint embedding.
    package let projectionDim: Int

    enum CodingKeys: String, CodingKey {
        case audioConfig = "audio_config"
        case projectionDim = "projection_dim"
    }

    /// Channels of a stage's tokens.
    func channels(stage: Int) -> Int { audioConfig.patchEmbedsHiddenSize << stage }

    /// Tokens along either side of a stage's square picture.
    func side(stage: Int) -> Int { (audioConfig.specSize / audioConfig.patchSize) >> stage }

    /// Pieces of the spectrogram, one after the other in time, that are stacked to make a square picture.
    var foldCount: Int { audioConfig.specSize / audioConfig.numMelBins }

    package func validate(component: String) throws {
        let check = ConfigCheck(component: component)
        let audio = audioConfig
        try check.require("audio_config.depths (count)", audio.depths.count, in: 1...6)
        for depth in audio.depths { try check.require("audio_config.depths", depth, in: 1...256) }
        let stages = audio.depths.count
        try check.require("audio_config.spec_size", audio.specSize, in: 16...4096)
        try check.require("audio_config.num_mel_bins", audio.numMelBins, in: 1...audio.specSize)
        try check.require(
            "audio_config.num_mel_bins", audio.numMelBins, dividesInto: audio.specSize, named: "audio_config.spec_size")
        try check.require("audio_config.patch_size", audio.patchSize, in: 1...64)
        try check.require(
            "audio_config.patch_stride", audio.patchStride, isOneOf: [[audio.patchSize, audio.patchSize]])
        try check.require("audio_config.window_size", audio.windowSize, in: 2...64)
        // Every stage's picture is a whole number of windows.
        try check.require(
            "audio_config.patch_size × 2^(stages − 1) × window_size",
            (audio.patchSize * audio.windowSize) << (stages - 1), dividesInto: audio.specSize,
            named: "audio_config.spec_size")
        try check.require("audio_config.patch_embeds_hidden_size", audio.patchEmbedsHiddenSize, in: 1...16384)
        try check.require(
            "audio_config.num_attention_heads (count)", audio.numAttentionHeads.count, isOneOf: [stages])
        for (stage, heads) in audio.numAttentionHeads.enumerated() {
            try check.require("audio_config.num_attention_heads", heads, in: 1...1024)
            try check.require(
                "audio_config.num_attention_heads", heads, dividesInto: channels(stage: stage), named: "its channels")
        }
        guard audio.mlpRatio > 0, audio.mlpRatio <= 64 else {
            throw ConfigError.unsupported(
                component: component, key: "audio_config.mlp_ratio", value: "\(audio.mlpRatio)", supported: "0…64")
        }
        try check.require("audio_config.hidden_act", audio.hiddenAct, isOneOf: ["gelu"])
        try check.require("audio_config.projection_hidden_act", audio.projectionHiddenAct, isOneOf: ["relu"])
        try check.require("audio_config.enable_fusion", audio.enableFusion, isOneOf: [false])
        try check.require("audio_config.enable_patch_layer_norm", audio.enablePatchLayerNorm, isOneOf: [true])
        try check.require("audio_config.flatten_patch_embeds", audio.flattenPatchEmbeds, isOneOf: [true])
        try check.require("audio_config.patch_embed_input_channels", audio.patchEmbedInputChannels, isOneOf: [1])
        try check.require("projection_dim", projectionDim, in: 1...65536)
    }
}
