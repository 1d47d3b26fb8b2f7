import Layers
import Tensors
import WeightFile

/// Sound to its language of audio.
///
/// The encoder of AudioMAE (Huang et al. 2022, arXiv 2207.06405), a ViT-B/16, as used in arXiv 2308.05734, section III-A;
/// `AudioMAEConditionCTPoolRand` of the authors' repository.
package struct AudioMAEEncoder: Sendable {
    private let config: AudioMAEConfig
    private let patchEmbedding: Conv2d
    private let classToken: any Weight
    private let positions: any Weight
    private let blocks: [ViTBlock]
    private let norm: LayerNorm

    package init(_ config: AudioMAEConfig, _ weights: WeightScope) throws {
        self.config = config
        // Runs once, on features with outliers: inputs stay float.
        let weights = weights.preferring(.weightOnly)
        patchEmbedding = try Conv2d(
            1, config.hiddenSize, kernel: config.patchSize, stride: config.patchSize, padding: .init(0),
            weights["patch_embed.proj"].preferring(.float))
        classToken = try weights.vector("cls_token", config.hiddenSize)
        positions = try weights.preferring(.float).table(
            "pos_embed", rows: config.grid.time * config.grid.frequency + 1, width: config.hiddenSize)
        blocks = try (0..<config.numHiddenLayers).map { try ViTBlock(config, weights["blocks"][$0]) }
        norm = try LayerNorm(config.hiddenSize, epsilon: config.layerNormEps, weights["norm"])
    }

    /// - Parameter features: of one sound, `[targetLength, numMelBins]` from `AudioMAEFeatures`.
    /// - Returns: `[1, vectorCount, hiddenSize]`, in the order of time, then frequency.
    package func callAsFunction(_ features: [Float], on backend: any Backend) throws -> Tensor {
        let (count, width) = (config.grid.time * config.grid.frequency, config.hiddenSize)
        let picture = try backend.upload(features, [1, config.targetLength, config.numMelBins, 1])
        let patches = try patchEmbedding(picture).reshaped([1, count, width])
        let first = try backend.tensor(classToken).reshaped([1, 1, width])
        let places = try backend.gather(positions, Array(0...count)).reshaped([1, count + 1, width])
        var x = try Tensor.concatenate([first, patches], axis: 1) + places
        var averaged: [Tensor] = []
        for (index, block) in blocks.enumerated() {
            x = try block(x)
            if index >= config.firstAveragedLayer { averaged.append(try norm(x)) }
        }
        let share = 1 / Float(averaged.count)
        let mean = try backend.combine(averaged.map { (factor: share, tensor: $0) })
        return try pooled(mean.slice(axis: 1, 1..<count + 1))
    }

    /// Half the mean and half the maximum of each rectangle of patches.
    private func pooled(_ patches: Tensor) throws -> Tensor {
        let backend = patches.backend
        let grid = try patches.reshaped([1, config.grid.time, config.grid.frequency, config.hiddenSize])
        let (height, width) = (config.poolTime, config.poolFrequency)
        let pooled = try backend.combine([
            (0.5, backend.pool(grid, .mean, height: height, width: width)),
            (0.5, backend.pool(grid, .maximum, height: height, width: width)),
        ])
        return try pooled.reshaped([1, pooled.shape[1] * pooled.shape[2], config.hiddenSize])
    }
}

/// A pre-norm transformer layer. Dosovitskiy et al. 2020 (arXiv 2010.11929); timm `Block`.
package struct ViTBlock: Sendable {
    private let norm1: LayerNorm
    private let attention: SelfAttention
    private let norm2: LayerNorm
    private let feedForwardIn: Linear
    private let feedForwardOut: Linear

    package init(_ config: AudioMAEConfig, _ weights: WeightScope) throws {
        let width = config.hiddenSize
        norm1 = try LayerNorm(width, epsilon: config.layerNormEps, weights["norm1"])
        attention = try SelfAttention(
            width, heads: config.numAttentionHeads, qkvBias: true, names: .init(qkv: "qkv", output: "proj"),
            weights["attn"])
        norm2 = try LayerNorm(width, epsilon: config.layerNormEps, weights["norm2"])
        feedForwardIn = try Linear(width, config.intermediateSize, weights["mlp.fc1"])
        feedForwardOut = try Linear(config.intermediateSize, width, weights["mlp.fc2"])
    }

    /// `[1, tokens, width]` → the same.
    package func callAsFunction(_ x: Tensor) throws -> Tensor {
        let h = try attention(norm1(x), residual: x)
        return try feedForwardOut(feedForwardIn(norm2(h), activation: .gelu), residual: h)
    }
}
