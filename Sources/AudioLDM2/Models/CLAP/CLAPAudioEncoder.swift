import Layers
import Tensors
import WeightFile

/// Sound to a unit vector in the space that CLAP shares between text and audio.
///
/// HTSAT (Chen et al. 2022, arXiv 2202.00874), a Swin transformer (Liu et al. 2021, arXiv 2103.14030) over the folded
/// spectrogram, with a projection head; transformers `ClapModel.get_audio_features`.
package struct CLAPAudioEncoder: Sendable {
    private let picture: CLAPPicture
    private let patchEmbedding: Conv2d
    private let patchNorm: LayerNorm
    private let stages: [Stage]
    private let norm: LayerNorm
    private let linear1: Linear
    private let linear2: Linear

    /// Layers at one resolution, halved at its end.
    private struct Stage: Sendable {
        let layers: [CLAPAudioLayer]
        let merging: PatchMerging?
    }

    package init(_ config: CLAPAudioConfig, _ weights: WeightScope) throws {
        let audio = config.audioConfig
        // Runs once, and its differences rank: inputs stay float.
        let weights = weights.preferring(.weightOnly)
        let encoder = weights["audio_model.audio_encoder"]
        picture = try CLAPPicture(config, encoder["batch_norm"])
        patchEmbedding = try Conv2d(
            1, audio.patchEmbedsHiddenSize, kernel: audio.patchSize, stride: audio.patchSize, padding: .init(0),
            encoder["patch_embed.proj"].preferring(.float))
        patchNorm = try LayerNorm(audio.patchEmbedsHiddenSize, encoder["patch_embed.norm"])
        stages = try audio.depths.enumerated().map { stage, depth in
            let scope = encoder["layers"][stage]
            let (channels, side) = (config.channels(stage: stage), config.side(stage: stage))
            return Stage(
                layers: try (0..<depth).map { index in
                    // Pictures of a single window have nothing to shift.
                    let isShifted = index % 2 == 1 && side > audio.windowSize
                    return try CLAPAudioLayer(
                        audio, channels: channels, heads: audio.numAttentionHeads[stage],
                        windows: WindowPartition(
                            side: side, window: audio.windowSize, shift: isShifted ? audio.windowSize / 2 : 0),
                        scope["blocks"][index])
                },
                merging: try stage < audio.depths.count - 1
                    ? PatchMerging(channels, side: side, scope["downsample"]) : nil)
        }
        let width = config.channels(stage: audio.depths.count - 1)
        norm = try LayerNorm(width, encoder["norm"])
        linear1 = try Linear(width, config.projectionDim, weights["audio_projection.linear1"])
        linear2 = try Linear(config.projectionDim, config.projectionDim, weights["audio_projection.linear2"])
    }

    /// - Parameter features: of one sound, `[frames, bands]` from `CLAPFeatures`.
    /// - Returns: `[1, projectionDim]`, of length 1.
    package func callAsFunction(_ features: [Float], on backend: any Backend) throws -> Tensor {
        try self([features], on: backend)
    }

    /// The same of several sounds: `[sounds, projectionDim]`.
    package func callAsFunction(_ features: [[Float]], on backend: any Backend) throws -> Tensor {
        let patches = try patchEmbedding(picture(features, on: backend))
        var x = try patchNorm(
            patches.reshaped([features.count, patches.shape[1] * patches.shape[2], patches.shape[3]]))
        for stage in stages {
            for layer in stage.layers { x = try layer(x) }
            x = try stage.merging.map { try $0(x) } ?? x
        }
        let tokens = try norm(x).reshaped([x.shape[0], x.shape[1], 1, x.shape[2]])
        let mean = try backend.pool(tokens, .mean, height: x.shape[1], width: 1).reshaped([x.shape[0], x.shape[2]])
        return try backend.l2Normalize(linear2(linear1(mean, activation: .relu)))
    }
}

/// A pre-norm transformer layer whose attention stays within windows.
package struct CLAPAudioLayer: Sendable {
    private let norm1: LayerNorm
    private let attention: WindowAttention
    private let norm2: LayerNorm
    private let intermediate: Linear
    private let output: Linear

    package init(
        _ config: CLAPAudioConfig.Audio, channels: Int, heads: Int, windows: WindowPartition, _ weights: WeightScope
    ) throws {
        let inner = Int(config.mlpRatio * Float(channels))
        norm1 = try LayerNorm(channels, epsilon: config.layerNormEps, weights["layernorm_before"])
        attention = try WindowAttention(
            channels, heads: heads, windows: windows, qkvBias: config.qkvBias, weights["attention"])
        norm2 = try LayerNorm(channels, epsilon: config.layerNormEps, weights["layernorm_after"])
        intermediate = try Linear(channels, inner, weights["intermediate.dense"])
        output = try Linear(inner, channels, weights["output.dense"])
    }

    /// `[sounds, tokens, channels]` → the same.
    package func callAsFunction(_ x: Tensor) throws -> Tensor {
        let h = try x + attention(norm1(x))
        return try output(intermediate(norm2(h), activation: .gelu), residual: h)
    }
}

/// Joins each 2 × 2 tokens to one with twice the channels.
package struct PatchMerging: Sendable {
    private let norm: LayerNorm
    private let reduction: Linear
    /// Tokens by column, then row, within each four.
    private let order: [Int]

    package init(_ channels: Int, side: Int, _ weights: WeightScope) throws {
        norm = try LayerNorm(4 * channels, weights["norm"])
        reduction = try Linear(4 * channels, 2 * channels, bias: false, weights["reduction"])
        order = stride(from: 0, to: side, by: 2).flatMap { row in
            stride(from: 0, to: side, by: 2).flatMap { column in
                [(0, 0), (1, 0), (0, 1), (1, 1)].map { (row + $0.0) * side + column + $0.1 }
            }
        }
    }

    /// `[sounds, tokens, channels]` → `[sounds, tokens / 4, 2 × channels]`.
    package func callAsFunction(_ x: Tensor) throws -> Tensor {
        let fours = try x.backend.rows(x, order).reshaped([x.shape[0], x.shape[1] / 4, 4 * x.shape[2]])
        return try reduction(norm(fours))
    }
}
