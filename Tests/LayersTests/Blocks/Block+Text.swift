import AudioLDM2
import Layers
import Tensors

/// Blocks of what reads texts.
extension Block {
    static let text = [
        Block("t5.block", of: "T5EncoderModel", .weightOnly, int8Error: 2.5e-2) { weights in
            let config: T5Config = try config(
                """
                {"vocab_size": 16, "d_model": 24, "d_kv": 6, "d_ff": 40, "num_layers": 1, "num_heads": 4,
                "relative_attention_num_buckets": 8, "relative_attention_max_distance": 10, "layer_norm_epsilon": 1e-6,
                "feed_forward_proj": "gated-gelu"}
                """)
            let layer = weights["encoder.block.0.layer"]
            let positions = try T5RelativePositions(config, layer["0.SelfAttention.relative_attention_bias"])
            let block = try T5Block(config, layer)
            return {
                let input = try $0("input")
                return try block(input, bias: positions(tokens: input.shape[1], on: $0.backend), mask: mask($0))
            }
        },
        Block("gpt2.block", of: "GPT2Model", .weightOnly, int8Error: 1.8e-2) { weights in
            let config: GPT2Config = try config(
                """
                {"n_embd": 24, "n_layer": 1, "n_head": 3, "n_positions": 16, "layer_norm_epsilon": 1e-5,
                "activation_function": "gelu_new"}
                """)
            let block = try GPT2Block(config, weights["transformer.h.0"])
            return {
                let input = try $0("input")
                let cache = try KeyValueCache(capacity: input.shape[1], innerDim: 24, on: $0.backend)
                return try block(input, mask: mask($0), cache: cache)
            }
        },
        Block("clap.text layer", of: "ClapModel", .weightOnly, int8Error: 1.3e-2) { weights in
            let config: CLAPConfig = try config(
                """
                {"projection_dim": 32, "text_config": {"vocab_size": 16, "hidden_size": 24, "num_hidden_layers": 1,
                "num_attention_heads": 3, "intermediate_size": 40, "max_position_embeddings": 16}}
                """)
            let layer = try RobertaLayer(config.textConfig, weights)
            return { try layer($0("input")) }
        },
        Block("vits.layer", of: "VitsModel", .float, int8Error: 1e-5) { weights in
            let config: PhonemeEncoderConfig = try config(
                """
                {"vocab_size": 16, "hidden_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2, "window_size": 2,
                "ffn_dim": 40, "ffn_kernel_size": 3, "layer_norm_eps": 1e-5, "hidden_act": "relu"}
                """)
            let layer = try PhonemeEncoderLayer(config, weights)
            return { try layer($0("input")) }
        },
    ]

    /// What is added to scores: nothing at tokens, and the least at padding.
    private static func mask(_ recorded: RecordedBlock) throws -> Tensor {
        let (shape, values) = try recorded.values("mask")
        return try recorded.backend.upload(values.map { $0 == 0 ? -Float.greatestFiniteMagnitude : 0 }, shape)
    }
}
