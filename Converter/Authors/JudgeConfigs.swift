import AudioLDM2
import Checkpoints

/// Configurations of networks that judge, from the shapes of their tensors.
extension AuthorsConfigs {
    static func vggish(_ shapes: PartShapes) throws -> Config {
        [
            "architectures": ["VGGish"],
            "channels": try [0, 3, 6, 8, 11, 13].map { try shapes.extent("features.\($0).weight", 0) },
            "hidden_size": try shapes.extent("embeddings.0.weight", 0),
            "embedding_size": try shapes.extent("embeddings.4.weight", 0),
        ]
    }

    static func cnn14(_ shapes: PartShapes) throws -> Config {
        let window = 2 * (try shapes.extent("logmel_extractor.melW", 0) - 1)
        // The authors' models have windows of 32 ms, hops of 10 ms.
        let blocks = shapes.count { "conv_block\($0 + 1).conv1.weight" }
        return [
            "architectures": ["Cnn14"], "sample_rate": window * 1000 / 32, "window_size": window,
            "hop_size": window * 5 / 16, "mel_bins": try shapes.extent("bn0.weight", 0),
            "channels": try (0..<blocks).map { try shapes.extent("conv_block\($0 + 1).conv2.weight", 0) },
            "embedding_size": try shapes.extent("fc1.weight", 0),
            "classes_num": try shapes.extent("fc_audioset.weight", 0),
        ]
    }

    static func musicNN(_ shapes: PartShapes) throws -> Config {
        [
            "architectures": ["MusicNN"],
            "timbral_channels": try shapes.extent("frontend.timbral.0.conv.weight", 0),
            "temporal_channels": try shapes.extent("frontend.temporal.0.conv.weight", 0),
            "midend_channels": try shapes.extent("midend.0.conv.weight", 0),
            "embedding_size": try shapes.extent("backend.dense.weight", 0),
            "classes": try shapes.extent("backend.output.weight", 0),
        ]
    }

    static func passt(_ shapes: PartShapes) throws -> Config {
        let width = try shapes.extent("patch_embed.proj.weight", 0)
        let patch = try shapes.extent("patch_embed.proj.weight", 2)
        let (rows, columns) = (try shapes.extent("freq_new_pos_embed", 2), try shapes.extent("time_new_pos_embed", 3))
        return [
            "architectures": ["PaSST"], "patch_size": patch,
            // Tables of positions are as long as ten seconds' 998 frames have strides.
            "stride": max(998 / columns, 1), "frequency_patches": rows, "time_patches": columns, "embed_dim": width,
            "depth": shapes.count { "blocks.\($0).attn.qkv.weight" }, "num_heads": heads(width),
            "mlp_size": try shapes.extent("blocks.0.mlp.fc1.weight", 0),
            "num_classes": try shapes.extent("head.1.weight", 0),
        ]
    }
}
