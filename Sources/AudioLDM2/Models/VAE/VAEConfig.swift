/// `vae/config.json` of diffusers' `AutoencoderKL`.
package struct VAEConfig: ModelConfig {
    package let inChannels: Int
    let outChannels: Int
    package let latentChannels: Int
    let blockOutChannels: [Int]
    let layersPerBlock: Int
    let normNumGroups: Int
    package let scalingFactor: Float
    let actFn: String?
    let upBlockTypes: [String]
    let downBlockTypes: [String]?
    let midBlockAddAttention: Bool?
    let usePostQuantConv: Bool?
    let useQuantConv: Bool?
    let shiftFactor: Float?
    let latentsMean: [Float]?
    let latentsStd: [Float]?

    enum CodingKeys: String, CodingKey {
        case inChannels = "in_channels"
        case outChannels = "out_channels"
        case latentChannels = "latent_channels"
        case blockOutChannels = "block_out_channels"
        case layersPerBlock = "layers_per_block"
        case normNumGroups = "norm_num_groups"
        case scalingFactor = "scaling_factor"
        case actFn = "act_fn"
        case upBlockTypes = "up_block_types"
        case downBlockTypes = "down_block_types"
        case midBlockAddAttention = "mid_block_add_attention"
        case usePostQuantConv = "use_post_quant_conv"
        case useQuantConv = "use_quant_conv"
        case shiftFactor = "shift_factor"
        case latentsMean = "latents_mean"
        case latentsStd = "latents_std"
    }

    /// Mel frames (and bands) per latent frame (and band).
    package var scaleFactor: Int { 1 << (blockOutChannels.count - 1) }

    package func validate(component: String) throws {
        let check = ConfigCheck(component: component)
        try check.require("block_out_channels (count)", blockOutChannels.count, in: 1...8)
        for channels in blockOutChannels {
            try check.require("block_out_channels", channels, in: 1...16384)
            try check.require("norm_num_groups", normNumGroups, in: 1...1024)
            try check.require("norm_num_groups", normNumGroups, dividesInto: channels, named: "block_out_channels")
        }
        try check.require("in_channels", inChannels, in: 1...16)
        try check.require("out_channels", outChannels, in: 1...16)
        try check.require("latent_channels", latentChannels, in: 1...1024)
        try check.require("layers_per_block", layersPerBlock, in: 1...64)
        for type in upBlockTypes { try check.require("up_block_types", type, isOneOf: ["UpDecoderBlock2D"]) }
        try check.require("up_block_types (count)", upBlockTypes.count, isOneOf: [blockOutChannels.count])
        for type in downBlockTypes ?? [] {
            try check.require("down_block_types", type, isOneOf: ["DownEncoderBlock2D"])
        }
        try check.require("down_block_types (count)", downBlockTypes?.count, isOneOf: [blockOutChannels.count])
        try check.require("act_fn", actFn, isOneOf: ["silu", "swish"])
        try check.require("mid_block_add_attention", midBlockAddAttention, isOneOf: [true])
        try check.require("use_post_quant_conv", usePostQuantConv, isOneOf: [true])
        try check.require("use_quant_conv", useQuantConv, isOneOf: [true])
        try check.require("shift_factor", shiftFactor, isOneOf: [0])
        try check.require("latents_mean", latentsMean, isOneOf: [])
        try check.require("latents_std", latentsStd, isOneOf: [])
        guard scalingFactor.isFinite, scalingFactor > 0 else {
            throw ConfigError.unsupported(
                component: component, key: "scaling_factor", value: "\(scalingFactor)", supported: "positive numbers")
        }
    }
}
