import AudioLDM2
import Tensors

/// Blocks of the denoiser, and of VAE.
extension Block {
    private static let unetClass = "AudioLDM2UNet2DConditionModel"
    private static let timeWidth = 20

    static let unet = [
        Block("unet.time embedding", of: unetClass, .float, int8Error: 1e-5) { weights in
            let embed = try TimeEmbedding(unetConfig(channels: 12), weights)
            return { try embed($0.values("input").values, on: $0.backend) }
        },
        Block("unet.resnet", of: unetClass, int8Error: 1e-2) { weights in
            let resnet = try TimedResnetBlock(12, 20, build: unetBuild(), weights)
            return { try resnet($0("input"), conditioning($0, resnets: [resnet])) }
        },
        Block("unet.self-attention", of: unetClass, int8Error: 2.2e-2) { weights in
            let build = unetBuild()
            let transformer = try Transformer2D(
                12, heads: 2, layers: 1, groups: 4, context: nil, slots: build.slots, weights)
            return { try transformer($0("input"), conditioning($0)) }
        },
        Block("unet.cross-attention", of: unetClass, int8Error: 2e-2) { weights in
            let build = unetBuild()
            let transformer = try Transformer2D(
                12, heads: 2, layers: 1, groups: 4, context: (index: 1, dim: 14), slots: build.slots,
                weights)
            return {
                try transformer(
                    $0("input"), conditioning($0, transformers: [transformer], slots: build.slots, [nil, $0("states")]))
            }
        },
        Block("unet.layer", of: unetClass, int8Error: 2.5e-2) { weights in
            let build = unetBuild()
            let level = try unetConfig(channels: 12, contexts: "[null, 10, 14]").levels[0]
            let layer = try UNetLayer(12, level, hasAttention: true, index: 0, build: build, weights)
            return {
                let conditioning = try conditioning(
                    $0, resnets: [layer.resnet], transformers: layer.transformers, slots: build.slots,
                    [$0("language"), $0("states")])
                return try layer($0("input"), conditioning)
            }
        },
        Block(
            "unet.down level", of: unetClass, int8Error: 1.6e-2,
            results: { weights in
                let level = try UNetDownLevel(
                    12, unetConfig(channels: 20).levels[0], downsamples: true, build: unetBuild(), weights)
                return {
                    var skips: [Tensor] = []
                    let output = try level(
                        $0("input"), conditioning($0, resnets: level.layers.map(\.resnet)), skips: &skips)
                    return ["skip": skips[0], "output": output]
                }
            }),
        Block("unet.up level", of: unetClass, int8Error: 1.5e-2) { weights in
            let level = try UNetUpLevel(
                20, skips: [12, 12], unetConfig(channels: 12).levels[0], upsamples: true, build: unetBuild(), weights)
            return {
                var skips = [try $0("first"), try $0("second")]
                return try level(
                    $0("input"), conditioning($0, resnets: level.layers.map(\.resnet)), skips: &skips, outer: (5, 4))
            }
        },
    ]

    private static func unetBuild() -> UNetBuild {
        UNetBuild(timeEmbedDim: timeWidth, norm: .init(groups: 4, epsilon: 1e-5))
    }

    /// A UNet of one level.
    private static func unetConfig(channels: Int, contexts: String? = nil) throws -> UNetConfig {
        let prefix = contexts == nil ? "" : "CrossAttn"
        return try config(
            """
            {"block_out_channels": [\(channels)], "down_block_types": ["\(prefix)DownBlock2D"],
            "up_block_types": ["\(prefix)UpBlock2D"], "cross_attention_dim": [\(contexts ?? "[null]")],
            "layers_per_block": 1, "attention_head_dim": 2, "in_channels": 8, "out_channels": 8, "norm_num_groups": 4,
            "norm_eps": 1e-5, "flip_sin_to_cos": true, "freq_shift": 0, "downsample_padding": 1, "act_fn": "silu",
            "mid_block_scale_factor": 1}
            """)
    }

    /// What blocks read beside their input: the recorded time, contexts and mask, as far as there are any.
    private static func conditioning(
        _ recorded: RecordedBlock, resnets: [TimedResnetBlock] = [], transformers: [Transformer2D] = [],
        slots: UNetSlots = UNetSlots(), _ contexts: [Tensor?] = []
    ) throws -> UNetConditioning {
        let masks = try contexts.indices.map { $0 == 1 ? try ConditionedUNet.additiveMask(recorded("mask")) : nil }
        var conditioning = try UNetConditioning(
            of: transformers, slots: slots.contexts.count, contexts: contexts, masks: masks)
        if !resnets.isEmpty {
            let time = try recorded("time").activated(.silu)
            try conditioning.addShifts(of: resnets, time.reshaped([1, time.shape[0], timeWidth]))
        }
        return conditioning
    }

    private static let vaeNorm = ResnetBlock.Norm(groups: 4, epsilon: 1e-6)

    static let vae = [
        Block("vae.resnet", of: "AutoencoderKL", int8Error: 1e-2) { weights in
            let resnet = try ResnetBlock(12, 20, norm: vaeNorm, weights)
            return { try resnet($0("input")) }
        },
        Block("vae.middle", of: "AutoencoderKL", int8Error: 1.7e-2) { weights in
            let middle = try VAEMiddle(12, norm: vaeNorm, weights)
            return { try middle($0("input")) }
        },
        Block("vae.up level", of: "AutoencoderKL", int8Error: 1.2e-2) { weights in
            let level = try VAEUpLevel(12, 12, layers: 1, upsamples: true, norm: vaeNorm, weights)
            return { try level($0("input"), isFrugal: false) }
        },
        Block("vae.down level", of: "AutoencoderKL.encoder", .weightOnly, int8Error: 1e-2) { weights in
            let level = try VAEDownLevel(12, 20, layers: 1, downsamples: true, norm: vaeNorm, weights)
            return { try level($0("input")) }
        },
    ]
}
