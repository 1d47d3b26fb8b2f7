import Layers
import Tensors
import WeightFile

/// Mel spectrogram to the distribution of its latents.
///
/// diffusers `AutoencoderKL.encode`; Rombach et al. 2022 (arXiv 2112.10752), appendix G.
package struct VAEEncoder: Sendable {
    private let convIn: Conv2d
    private let levels: [VAEDownLevel]
    private let middle: VAEMiddle
    private let normOut: GroupNorm
    private let convOut: Conv2d
    private let quantConv: Conv2d

    package init(_ config: VAEConfig, _ weights: WeightScope) throws {
        let norm = ResnetBlock.Norm(groups: config.normNumGroups, epsilon: 1e-6)
        let channels = config.blockOutChannels
        // Runs once, and what it loses is heard in every edit: its inputs stay float.
        let weights = weights.preferring(.weightOnly)
        let encoder = weights["encoder"]
        convIn = try Conv2d(config.inChannels, channels[0], kernel: 3, encoder["conv_in"].preferring(.float))
        levels = try channels.enumerated().map { index, outputs in
            try VAEDownLevel(
                channels[max(index - 1, 0)], outputs, layers: config.layersPerBlock,
                downsamples: index < channels.count - 1, norm: norm, encoder["down_blocks"][index])
        }
        let last = channels[channels.count - 1]
        middle = try VAEMiddle(last, norm: norm, encoder["mid_block"])
        normOut = try GroupNorm(
            last, groups: norm.groups, epsilon: norm.epsilon, activation: .silu, encoder["conv_norm_out"])
        let moments = 2 * config.latentChannels
        convOut = try Conv2d(last, moments, kernel: 3, encoder["conv_out"].preferring(.float))
        quantConv = try Conv2d(moments, moments, kernel: 1, weights["quant_conv"].preferring(.float))
    }

    /// - Parameter mel: log-mel spectrogram `[batch, frames, bands, 1]`; frames and bands are multiples of the config's
    ///   `scaleFactor`, else the last ones are lost.
    /// - Returns: mean and logarithm of the variance of the latents, each
    ///   `[batch, frames / scale, bands / scale, latentChannels]`, not yet multiplied by the scaling factor. The latter is
    ///   what the reference clamps to −30…20 where it draws from the distribution.
    package func callAsFunction(_ mel: Tensor) throws -> (mean: Tensor, logvar: Tensor) {
        var x = try convIn(mel)
        for level in levels { x = try level(x) }
        let moments = try quantConv(convOut(normOut(middle(x))))
        let channels = moments.shape.last / 2
        return (
            mean: try moments.slice(axis: 3, 0..<channels), logvar: try moments.slice(axis: 3, channels..<2 * channels)
        )
    }
}

/// One resolution of the encoder, halved at its end.
package struct VAEDownLevel: Sendable {
    private let resnets: [ResnetBlock]
    private let downsampler: Conv2d?

    package init(
        _ inputs: Int, _ outputs: Int, layers: Int, downsamples: Bool, norm: ResnetBlock.Norm, _ weights: WeightScope
    ) throws {
        resnets = try (0..<layers).map { index in
            try ResnetBlock(index == 0 ? inputs : outputs, outputs, norm: norm, weights["resnets"][index])
        }
        // The reference pads one row and one column behind the picture, none before it.
        downsampler =
            try downsamples
            ? Conv2d(
                outputs, outputs, kernel: 3, stride: 2, padding: .init(bottom: 1, right: 1),
                weights["downsamplers.0.conv"])
            : nil
    }

    package func callAsFunction(_ x: Tensor) throws -> Tensor {
        let h = try resnets.reduce(x) { h, resnet in try resnet(h) }
        return try downsampler.map { try $0(h) } ?? h
    }
}
