/// The text encoder's part of `text_encoder_2/config.json` of transformers' `VitsModel`.
package struct PhonemeEncoderConfig: ModelConfig {
    package let vocabSize: Int
    package let hiddenSize: Int
    let numHiddenLayers: Int
    let numAttentionHeads: Int
    /// How many tokens away a learned relative position reaches; nil for none.
    let windowSize: Int?
    let ffnDim: Int
    let ffnKernelSize: Int
    let layerNormEps: Float
    let hiddenAct: String
    let useBias: Bool?

    enum CodingKeys: String, CodingKey {
        case vocabSize = "vocab_size"
        case hiddenSize = "hidden_size"
        case numHiddenLayers = "num_hidden_layers"
        case numAttentionHeads = "num_attention_heads"
        case windowSize = "window_size"
        case ffnDim = "ffn_dim"
        case ffnKernelSize = "ffn_kernel_size"
        case layerNormEps = "layer_norm_eps"
        case hiddenAct = "hidden_act"
        case useBias = "use_bias"
    }

    package func validate(component: String) throws {
        let check = ConfigCheck(component: component)
        try check.require("vocab_size", vocabSize, in: 1...1_000_000)
        for (key, value) in [("hidden_size", hiddenSize), ("ffn_dim", ffnDim)] {
            try check.require(key, value, in: 1...65536)
        }
        try check.require("num_hidden_layers", numHiddenLayers, in: 1...1024)
        try check.require("num_attention_heads", numAttentionHeads, in: 1...1024)
        try check.require("num_attention_heads", numAttentionHeads, dividesInto: hiddenSize, named: "hidden_size")
        try check.require("window_size", windowSize ?? 1, in: 1...1024)
        try check.require("ffn_kernel_size", ffnKernelSize, in: 1...255)
        try check.require("hidden_act", hiddenAct, isOneOf: ["relu"])
    }
}
