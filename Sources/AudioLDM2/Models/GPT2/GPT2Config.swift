/// `language_model/config.json` of transformers' `GPT2Model` / `GPT2LMHeadModel`.
package struct GPT2Config: ModelConfig {
    package let nEmbd: Int
    let nLayer: Int
    let nHead: Int
    let nInner: Int?
    let nPositions: Int
    let layerNormEpsilon: Float
    let activationFunction: String
    let scaleAttnByInverseLayerIdx: Bool?
    let scaleAttnWeights: Bool?
    /// Vectors of the language of audio to generate.
    let maxNewTokens: Int?

    enum CodingKeys: String, CodingKey {
        case nEmbd = "n_embd"
        case nLayer = "n_layer"
        case nHead = "n_head"
        case nInner = "n_inner"
        case nPositions = "n_positions"
        case layerNormEpsilon = "layer_norm_epsilon"
        case activationFunction = "activation_function"
        case scaleAttnByInverseLayerIdx = "scale_attn_by_inverse_layer_idx"
        case scaleAttnWeights = "scale_attn_weights"
        case maxNewTokens = "max_new_tokens"
    }

    /// 8, as the reference pipeline's default, where the config is silent.
    package var newTokens: Int { maxNewTokens ?? 8 }

    package func validate(component: String) throws {
        let check = ConfigCheck(component: component)
        try check.require("n_embd", nEmbd, in: 1...65536)
        try check.require("n_layer", nLayer, in: 1...1024)
        try check.require("n_head", nHead, in: 1...1024)
        try check.require("n_head", nHead, dividesInto: nEmbd, named: "n_embd")
        try check.require("n_positions", nPositions, in: 1...1_000_000)
        try check.require("n_inner", nInner ?? 1, in: 1...1_000_000)
        try check.require("max_new_tokens", newTokens, in: 1...nPositions)
        try check.require(
            "activation_function", activationFunction, isOneOf: ["gelu_new", "gelu_pytorch_tanh"])
        try check.require("scale_attn_by_inverse_layer_idx", scaleAttnByInverseLayerIdx, isOneOf: [false])
        try check.require("scale_attn_weights", scaleAttnWeights, isOneOf: [true])
    }
}
