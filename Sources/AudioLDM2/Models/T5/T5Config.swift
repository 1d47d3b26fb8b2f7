/// `text_encoder_2/config.json` of transformers' `T5EncoderModel`.
package struct T5Config: ModelConfig {
    package let vocabSize: Int
    package let dModel: Int
    let dKv: Int
    let dFf: Int
    let numLayers: Int
    let numHeads: Int
    let relativeAttentionNumBuckets: Int
    let relativeAttentionMaxDistance: Int?
    let layerNormEpsilon: Float
    let feedForwardProj: String
    package let padTokenId: Int?

    enum CodingKeys: String, CodingKey {
        case vocabSize = "vocab_size"
        case dModel = "d_model"
        case dKv = "d_kv"
        case dFf = "d_ff"
        case numLayers = "num_layers"
        case numHeads = "num_heads"
        case relativeAttentionNumBuckets = "relative_attention_num_buckets"
        case relativeAttentionMaxDistance = "relative_attention_max_distance"
        case layerNormEpsilon = "layer_norm_epsilon"
        case feedForwardProj = "feed_forward_proj"
        case padTokenId = "pad_token_id"
    }

    /// 128, as transformers' default, where the config is silent.
    var maxDistance: Int { relativeAttentionMaxDistance ?? 128 }

    package func validate(component: String) throws {
        let check = ConfigCheck(component: component)
        try check.require("vocab_size", vocabSize, in: 1...10_000_000)
        for (key, value) in [
            ("d_model", dModel), ("d_kv", dKv), ("d_ff", dFf), ("num_layers", numLayers), ("num_heads", numHeads),
        ] {
            try check.require(key, value, in: 1...65536)
        }
        try check.require("relative_attention_num_buckets", relativeAttentionNumBuckets, in: 4...65536)
        try check.require(
            "relative_attention_max_distance", maxDistance, in: relativeAttentionNumBuckets / 4 + 1...1_000_000)
        try check.require("feed_forward_proj", feedForwardProj, isOneOf: ["gated-gelu"])
    }
}
