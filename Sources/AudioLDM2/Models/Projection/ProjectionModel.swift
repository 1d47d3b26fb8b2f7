import Layers
import Tensors
import WeightFile

/// `projection_model/config.json` of diffusers' `AudioLDM2ProjectionModel`.
package struct ProjectionConfig: ModelConfig {
    let textEncoderDim: Int
    let textEncoder1Dim: Int
    /// Spelt so in the published files.
    let langaugeModelDim: Int
    private let useLearnedPositionEmbedding: Bool?
    private let maxSeqLength: Int?

    enum CodingKeys: String, CodingKey {
        case textEncoderDim = "text_encoder_dim"
        case textEncoder1Dim = "text_encoder_1_dim"
        case langaugeModelDim = "langauge_model_dim"
        case useLearnedPositionEmbedding = "use_learned_position_embedding"
        case maxSeqLength = "max_seq_length"
    }

    /// How many positions of the second sequence have a learned vector; nil for none. (The reference asks only whether the
    /// key is there.)
    package var learnedPositions: Int? { useLearnedPositionEmbedding == nil ? nil : maxSeqLength ?? 0 }

    package func validate(component: String) throws {
        let check = ConfigCheck(component: component)
        try check.require("text_encoder_dim", textEncoderDim, in: 1...65536)
        try check.require("text_encoder_1_dim", textEncoder1Dim, in: 1...65536)
        try check.require("langauge_model_dim", langaugeModelDim, in: 1...65536)
        try check.require("max_seq_length", learnedPositions ?? 1, in: 1...1_000_000)
    }
}

/// Brings both text encoders' states to the language model's width and puts them in one sequence, each between a start
/// and an end vector of its own.
///
/// diffusers `AudioLDM2ProjectionModel`. The end vector comes *after* the padding, and is not padding itself.
package struct ProjectionModel: Sendable {
    private let projection: Linear
    private let projection1: Linear
    /// Added to the second sequence, at its padding too.
    private let positions: Embedding?
    private let bounds: Bounds
    private let bounds1: Bounds

    /// The learned vectors before and after one sequence.
    private struct Bounds: Sendable {
        let start: any Weight
        let end: any Weight

        func enclose(_ x: Tensor) throws -> [Tensor] {
            let shape: Shape = [1, 1, x.shape.last]
            return [try x.backend.tensor(start).reshaped(shape), x, try x.backend.tensor(end).reshaped(shape)]
        }
    }

    package init(_ config: ProjectionConfig, _ weights: WeightScope) throws {
        let weights = weights.preferring(.float)
        let width = config.langaugeModelDim
        projection = try Linear(config.textEncoderDim, width, weights["projection"])
        projection1 = try Linear(config.textEncoder1Dim, width, weights["projection_1"])
        positions = try config.learnedPositions.map {
            try Embedding($0, config.textEncoder1Dim, table: "learnable_positional_embedding", weights)
        }
        bounds = Bounds(
            start: try weights.vector("sos_embed", width), end: try weights.vector("eos_embed", width))
        bounds1 = Bounds(
            start: try weights.vector("sos_embed_1", width), end: try weights.vector("eos_embed_1", width))
    }

    /// - Parameters:
    ///   - clap: `[1, 1, textEncoderDim]`.
    ///   - second: `[1, tokens, textEncoder1Dim]`, padding included.
    ///   - mask: 1 for the second sequence's tokens, 0 for its padding.
    /// - Returns: `[1, tokens + 5, languageModelDim]` and its mask.
    package func callAsFunction(clap: Tensor, second: Tensor, mask: [Int]) throws -> (sequence: Tensor, mask: [Int]) {
        let tokens = second.shape[1]
        let second = try positions.map { try second + $0(Array(0..<tokens), on: second.backend) } ?? second
        let sequence = try Tensor.concatenate(
            bounds.enclose(projection(clap)) + bounds1.enclose(projection1(second)), axis: 1)
        return (sequence, [1, 1, 1] + [1] + mask + [1])
    }
}
