/// The text half of `text_encoder/config.json` of transformers' `ClapModel`, or that of `ClapTextModelWithProjection`, which
/// is nothing else.
package struct CLAPConfig: ModelConfig {
    package struct Text: Decodable, Sendable {
        package let vocabSize: Int
        let hiddenSize: Int
        let numHiddenLayers: Int
        let numAttentionHeads: Int
        let intermediateSize: Int
        let maxPositionEmbeddings: Int
        let typeVocabSize: Int
        package let padTokenId: Int
        let layerNormEps: Float
        let hiddenAct: String
        let projectionHiddenAct: String?
        let positionEmbeddingType: String?

        enum CodingKeys: String, CodingKey {
            case vocabSize = "vocab_size"
            case hiddenSize = "hidden_size"
            case numHiddenLayers = "num_hidden_layers"
            case numAttentionHeads = "num_attention_heads"
            case intermediateSize = "intermediate_size"
            case maxPositionEmbeddings = "max_position_embeddings"
            case typeVocabSize = "type_vocab_size"
            case padTokenId = "pad_token_id"
            case layerNormEps = "layer_norm_eps"
            case hiddenAct = "hidden_act"
            case projectionHiddenAct = "projection_hidden_act"
            case positionEmbeddingType = "position_embedding_type"
        }

        package init(from decoder: any Decoder) throws {
            // Published configs leave out what equals transformers' ClapTextConfig defaults.
            let container = try decoder.container(keyedBy: CodingKeys.self)
            vocabSize = try container.decodeIfPresent(Int.self, forKey: .vocabSize) ?? 50265
            hiddenSize = try container.decodeIfPresent(Int.self, forKey: .hiddenSize) ?? 768
            numHiddenLayers = try container.decodeIfPresent(Int.self, forKey: .numHiddenLayers) ?? 12
            numAttentionHeads = try container.decodeIfPresent(Int.self, forKey: .numAttentionHeads) ?? 12
            intermediateSize = try container.decodeIfPresent(Int.self, forKey: .intermediateSize) ?? 3072
            maxPositionEmbeddings = try container.decodeIfPresent(Int.self, forKey: .maxPositionEmbeddings) ?? 514
            typeVocabSize = try container.decodeIfPresent(Int.self, forKey: .typeVocabSize) ?? 1
            padTokenId = try container.decodeIfPresent(Int.self, forKey: .padTokenId) ?? 1
            layerNormEps = try container.decodeIfPresent(Float.self, forKey: .layerNormEps) ?? 1e-12
            hiddenAct = try container.decodeIfPresent(String.self, forKey: .hiddenAct) ?? "gelu"
            projectionHiddenAct = try container.decodeIfPresent(String.self, forKey: .projectionHiddenAct)
            positionEmbeddingType = try container.decodeIfPresent(String.self, forKey: .positionEmbeddingType)
        }
    }

    package let textConfig: Text
    /// Width of the joint embedding.
    package let projectionDim: Int

    enum CodingKeys: String, CodingKey {
        case textConfig = "text_config"
        case projectionDim = "projection_dim"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        textConfig =
            try container.contains(.textConfig)
            ? container.decode(Text.self, forKey: .textConfig) : Text(from: decoder)
        projectionDim = try container.decode(Int.self, forKey: .projectionDim)
    }

    /// The longest text, in tokens: positions start behind the padding index.
    package var maxTokens: Int { textConfig.maxPositionEmbeddings - textConfig.padTokenId - 1 }

    package func validate(component: String) throws {
        let check = ConfigCheck(component: component)
        let text = textConfig
        try check.require("text_config.vocab_size", text.vocabSize, in: 1...10_000_000)
        try check.require("text_config.hidden_size", text.hiddenSize, in: 1...65536)
        try check.require("text_config.num_hidden_layers", text.numHiddenLayers, in: 1...1024)
        try check.require("text_config.num_attention_heads", text.numAttentionHeads, in: 1...1024)
        try check.require(
            "text_config.num_attention_heads", text.numAttentionHeads, dividesInto: text.hiddenSize,
            named: "text_config.hidden_size")
        try check.require("text_config.intermediate_size", text.intermediateSize, in: 1...1_000_000)
        try check.require("text_config.max_position_embeddings", text.maxPositionEmbeddings, in: 2...1_000_000)
        // Positions start behind the padding index, so there must be one.
        try check.require(
            "text_config.pad_token_id", text.padTokenId, in: 0...min(text.vocabSize, text.maxPositionEmbeddings - 1) - 1
        )
        try check.require("text_config.type_vocab_size", text.typeVocabSize, in: 1...1024)
        try check.require("text_config.hidden_act", text.hiddenAct, isOneOf: ["gelu"])
        try check.require("text_config.projection_hidden_act", text.projectionHiddenAct, isOneOf: ["relu"])
        try check.require("text_config.position_embedding_type", text.positionEmbeddingType, isOneOf: ["absolute"])
        try check.require("projection_dim", projectionDim, in: 1...65536)
    }
}
