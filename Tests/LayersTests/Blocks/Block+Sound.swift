import AudioLDM2
import Layers
import Tensors
import WeightFile

/// Blocks of what makes waveforms, and of what hears them.
extension Block {
    static let vocoder = [
        Block("hifigan.upsampler", of: "SpeechT5HifiGan", int8Error: 1e-2) { weights in
            let upsampler = try ConvTranspose1d(
                8, 4, kernel: 7, stride: 3, padding: 2, inputActivation: .leakyRelu(slope: 0.1), weights["upsampler.0"])
            return { try upsampler($0("input")) }
        },
        Block("hifigan.residual", of: "SpeechT5HifiGan", int8Error: 1.4e-2) { weights in
            let block = try HiFiGANResidualBlock(
                8, kernel: 3, dilations: [1, 3, 5], slope: .leakyRelu(slope: 0.1), weights)
            return { recorded in
                var progress = HiFiGANResidualBlock.Progress()
                return try block(Stretch(recorded("input"), isLast: true), &progress).tensor
            }
        },
    ]

    static let sound = [
        Block("clap.picture", of: "ClapModel.audio", .weightOnly, int8Error: 1e-5) { weights in
            let picture = try CLAPPicture(clapConfig(), weights["batch_norm"])
            return { try picture([$0.values("input").values], on: $0.backend) }
        },
        Block("clap.audio layer", of: "ClapModel.audio", .weightOnly, int8Error: 1e-2) { weights in
            let layer = try clapLayer(shift: 0, weights)
            return { try layer($0("input")) }
        },
        Block("clap.shifted audio layer", of: "ClapModel.audio", .weightOnly, int8Error: 1e-2) { weights in
            let layer = try clapLayer(shift: 1, weights)
            return { try layer($0("input")) }
        },
        Block("clap.merging", of: "ClapModel.audio", .weightOnly, int8Error: 1e-2) { weights in
            let merging = try PatchMerging(16, side: 8, weights)
            return { try merging($0("input")) }
        },
        Block("audiomae.block", of: "AudioMAE", .weightOnly, int8Error: 1e-2) { weights in
            let block = try ViTBlock(24, heads: 3, inner: 48, epsilon: 1e-6, weights)
            return { try block($0("input")) }
        },
    ]

    /// Pictures of 8 × 8 tokens, in windows of 2 × 2.
    private static func clapConfig() throws -> CLAPAudioConfig {
        try config(
            """
            {"projection_dim": 32, "audio_config": {"spec_size": 32, "num_mel_bins": 8, "patch_size": 4,
            "patch_stride": [4, 4], "window_size": 2, "patch_embeds_hidden_size": 16, "depths": [2, 1],
            "num_attention_heads": [2, 4], "mlp_ratio": 2}}
            """)
    }

    private static func clapLayer(shift: Int, _ weights: WeightScope) throws -> CLAPAudioLayer {
        try CLAPAudioLayer(
            clapConfig().audioConfig, channels: 16, heads: 2, windows: .init(side: 8, window: 2, shift: shift), weights)
    }
}
