/// `unet/config.json` of diffusers' `AudioLDM2UNet2DConditionModel`, or of the `UNet2DConditionModel` of AudioLDM 1.
package struct UNetConfig: ModelConfig {
    let className: String?
    /// Frames of latents that the model was trained on; the default length of a sound.
    let sampleSize: Int?
    package let inChannels: Int
    let outChannels: Int
    let blockOutChannels: [Int]
    let downBlockTypes: [String]
    let upBlockTypes: [String]
    let midBlockType: String?
    /// The number of layers on the way down; one more on the way up.
    private let layersPerBlock: PerLevel
    private let transformerLayersPerBlock: PerLevel?
    /// Despite its name, the number of heads (diffusers issue 2011).
    private let attentionHeadDim: PerLevel
    private let crossAttentionDim: CrossAttentionDim
    let normNumGroups: Int
    let normEps: Float
    let flipSinToCos: Bool
    let freqShift: Float
    let convInKernel: Int?
    let convOutKernel: Int?
    let downsamplePadding: Int
    let actFn: String
    let midBlockScaleFactor: Float
    let timeEmbeddingDim: Int?
    let timeEmbeddingType: String?
    let timeEmbeddingActFn: String?
    let timestepPostAct: String?
    let timeCondProjDim: Int?
    let resnetTimeScaleShift: String?
    private let classEmbedType: String?
    private let classEmbeddingsConcat: Bool?
    private let projectionClassEmbeddingsInputDim: Int?
    let numClassEmbeds: Int?
    let useLinearProjection: Bool?
    let onlyCrossAttention: Bool?

    enum CodingKeys: String, CodingKey {
        case className = "_class_name"
        case sampleSize = "sample_size"
        case inChannels = "in_channels"
        case outChannels = "out_channels"
        case blockOutChannels = "block_out_channels"
        case downBlockTypes = "down_block_types"
        case upBlockTypes = "up_block_types"
        case midBlockType = "mid_block_type"
        case layersPerBlock = "layers_per_block"
        case transformerLayersPerBlock = "transformer_layers_per_block"
        case attentionHeadDim = "attention_head_dim"
        case crossAttentionDim = "cross_attention_dim"
        case normNumGroups = "norm_num_groups"
        case normEps = "norm_eps"
        case flipSinToCos = "flip_sin_to_cos"
        case freqShift = "freq_shift"
        case convInKernel = "conv_in_kernel"
        case convOutKernel = "conv_out_kernel"
        case downsamplePadding = "downsample_padding"
        case actFn = "act_fn"
        case midBlockScaleFactor = "mid_block_scale_factor"
        case timeEmbeddingDim = "time_embedding_dim"
        case timeEmbeddingType = "time_embedding_type"
        case timeEmbeddingActFn = "time_embedding_act_fn"
        case timestepPostAct = "timestep_post_act"
        case timeCondProjDim = "time_cond_proj_dim"
        case resnetTimeScaleShift = "resnet_time_scale_shift"
        case classEmbedType = "class_embed_type"
        case classEmbeddingsConcat = "class_embeddings_concat"
        case projectionClassEmbeddingsInputDim = "projection_class_embeddings_input_dim"
        case numClassEmbeds = "num_class_embeds"
        case useLinearProjection = "use_linear_projection"
        case onlyCrossAttention = "only_cross_attention"
    }

    /// What one resolution level of the U looks like.
    package struct Level {
        let channels: Int
        let layers: Int
        let heads: Int
        let transformerLayers: Int
        /// One transformer each at every attention place; nil means that it attends to itself twice.
        let crossAttentionDims: [Int?]
        let downHasAttention: Bool
        let upHasAttention: Bool
    }

    /// The levels, highest resolution first. Valid after `validate`.
    package var levels: [Level] {
        let count = blockOutChannels.count
        let layers = layersPerBlock.expanded(to: count) ?? []
        let heads = attentionHeadDim.expanded(to: count) ?? []
        let depths = (transformerLayersPerBlock ?? PerLevel(1)).expanded(to: count) ?? []
        let dims = isPlain ? Array(repeating: [nil], count: count) : crossAttentionDim.expanded(to: count) ?? []
        return (0..<min(count, layers.count, heads.count, depths.count, dims.count)).map { level in
            Level(
                channels: blockOutChannels[level], layers: layers[level], heads: heads[level],
                transformerLayers: depths[level], crossAttentionDims: dims[level],
                downHasAttention: downBlockTypes[level] == "CrossAttnDownBlock2D",
                upHasAttention: upBlockTypes[count - 1 - level] == "CrossAttnUpBlock2D")
        }
    }

    /// Widths of the conditioning sequences, by their index; nil for one that no attention reads. Valid after `validate`.
    package var contextWidths: [Int?] {
        var widths: [Int?] = [nil, nil]
        for level in levels where level.downHasAttention || level.upHasAttention {
            for (place, dim) in level.crossAttentionDims.enumerated() where dim != nil {
                widths[Self.contextIndex(place)] = dim
            }
        }
        return widths
    }

    /// Which conditioning sequence the transformer at a place reads: the first two the language of audio, later ones the
    /// second text encoder's states.
    static func contextIndex(_ place: Int) -> Int { place <= 1 ? 0 : 1 }

    var timeEmbedDim: Int { timeEmbeddingDim ?? 4 * blockOutChannels[0] }

    /// Width of the vector that conditions the model beside the time step; nil for none.
    package var filmWidth: Int? { classEmbedType == nil ? nil : projectionClassEmbeddingsInputDim ?? 0 }

    /// Width of what every residual block reads: the time embedding, and behind it that of the vector.
    var blockEmbedDim: Int { filmWidth == nil ? timeEmbedDim : 2 * timeEmbedDim }

    /// Whether this is the UNet of AudioLDM 1, which is given no sequence: its cross-attentions see what its
    /// self-attentions see.
    private var isPlain: Bool { className == "UNet2DConditionModel" }

    package func validate(component: String) throws {
        let check = ConfigCheck(component: component)
        try check.require("block_out_channels (count)", blockOutChannels.count, in: 1...8)
        for channels in blockOutChannels { try check.require("block_out_channels", channels, in: 1...16384) }
        for (key, types) in [("down_block_types", downBlockTypes), ("up_block_types", upBlockTypes)] {
            try check.require(key + " (count)", types.count, isOneOf: [blockOutChannels.count])
        }
        for type in downBlockTypes {
            try check.require("down_block_types", type, isOneOf: ["DownBlock2D", "CrossAttnDownBlock2D"])
        }
        for type in upBlockTypes {
            try check.require("up_block_types", type, isOneOf: ["UpBlock2D", "CrossAttnUpBlock2D"])
        }
        try check.require("sample_size", sampleSize ?? 1, in: 1...1_000_000)
        try check.require("in_channels", inChannels, in: 1...1024)
        try check.require("out_channels", outChannels, in: 1...1024)
        try check.require("norm_num_groups", normNumGroups, in: 1...1024)
        for channels in blockOutChannels {
            try check.require("norm_num_groups", normNumGroups, dividesInto: channels, named: "block_out_channels")
        }
        for (key, values) in [
            ("layers_per_block", layersPerBlock), ("attention_head_dim", attentionHeadDim),
            ("transformer_layers_per_block", transformerLayersPerBlock ?? PerLevel(1)),
        ] {
            let expanded = values.expanded(to: blockOutChannels.count)
            try check.require(key + " (count)", expanded?.count ?? 0, isOneOf: [blockOutChannels.count])
            for value in expanded ?? [] { try check.require(key, value, in: 1...256) }
        }
        let dims = crossAttentionDim.expanded(to: blockOutChannels.count)
        try check.require("cross_attention_dim (count)", dims?.count ?? 0, isOneOf: [blockOutChannels.count])
        for dim in (dims ?? []).joined().compactMap(\.self) {
            try check.require("cross_attention_dim", dim, in: 1...16384)
        }
        for dims in dims ?? [] { try check.require("cross_attention_dim (per level)", dims.count, in: 1...4) }
        for level in levels {
            try check.require(
                "attention_head_dim", level.heads, dividesInto: level.channels, named: "block_out_channels")
        }
        if isPlain, let dims, dims != blockOutChannels.map({ [$0] }) {
            throw ConfigError.unsupported(
                component: component, key: "cross_attention_dim", value: "\(dims)",
                supported: "those of block_out_channels in this class, which attends to itself")
        }
        for (key, kernel) in [("conv_in_kernel", convInKernel ?? 3), ("conv_out_kernel", convOutKernel ?? 3)] {
            try check.require(key, kernel, isOneOf: [1, 3, 5, 7])
        }
        try check.require("downsample_padding", downsamplePadding, isOneOf: [1])
        try check.require("mid_block_type", midBlockType, isOneOf: ["UNetMidBlock2DCrossAttn"])
        try check.require("act_fn", actFn, isOneOf: ["silu", "swish"])
        try check.require("mid_block_scale_factor", midBlockScaleFactor, isOneOf: [1])
        try check.require("time_embedding_type", timeEmbeddingType, isOneOf: ["positional"])
        try check.require("time_embedding_act_fn", timeEmbeddingActFn, isOneOf: [])
        try check.require("timestep_post_act", timestepPostAct, isOneOf: [])
        try check.require("time_cond_proj_dim", timeCondProjDim, isOneOf: [])
        try check.require("resnet_time_scale_shift", resnetTimeScaleShift, isOneOf: ["default"])
        try check.require("class_embed_type", classEmbedType, isOneOf: ["simple_projection"])
        if classEmbedType != nil {
            try check.require("class_embeddings_concat", classEmbeddingsConcat ?? false, isOneOf: [true])
            try check.require("projection_class_embeddings_input_dim", filmWidth ?? 0, in: 1...65536)
        }
        try check.require("num_class_embeds", numClassEmbeds, isOneOf: [])
        try check.require("use_linear_projection", useLinearProjection, isOneOf: [false])
        try check.require("only_cross_attention", onlyCrossAttention, isOneOf: [false])
    }
}

/// `cross_attention_dim`: a number, one list for all levels, or a list per level; null means self-attention.
private struct CrossAttentionDim: Decodable, Sendable {
    private enum Form {
        case uniform([Int?])
        case perLevel([[Int?]])
    }
    private let form: Form

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let single = try? container.decode(Int.self) {
            form = .uniform([single])
        } else if let nested = try? container.decode([[Int?]].self) {
            form = .perLevel(nested)
        } else {
            form = .perLevel(try container.decode([Int].self).map { [$0] })
        }
    }

    func expanded(to count: Int) -> [[Int?]]? {
        switch form {
        case .uniform(let dims): Array(repeating: dims, count: count)
        case .perLevel(let dims): dims.count == count ? dims : nil
        }
    }
}
