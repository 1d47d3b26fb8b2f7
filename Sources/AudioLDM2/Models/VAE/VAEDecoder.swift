import Layers
import Tensors
import WeightFile

/// Latents to mel spectrogram.
///
/// diffusers `AutoencoderKL.decode`; Rombach et al. 2022 (arXiv 2112.10752), appendix G.
package struct VAEDecoder: Sendable {
    private let postQuantConv: Conv2d
    private let convIn: Conv2d
    private let middle: VAEMiddle
    private let levels: [VAEUpLevel]
    private let normOut: GroupNorm
    private let convOut: Conv2d

    package init(_ config: VAEConfig, _ weights: WeightScope) throws {
        let norm = ResnetBlock.Norm(groups: config.normNumGroups, epsilon: 1e-6)
        let channels = Array(config.blockOutChannels.reversed())
        let decoder = weights["decoder"]
        postQuantConv = try Conv2d(
            config.latentChannels, config.latentChannels, kernel: 1, weights["post_quant_conv"].preferring(.float))
        convIn = try Conv2d(
            config.latentChannels, channels[0], kernel: 3, decoder["conv_in"].preferring(.float))
        middle = try VAEMiddle(channels[0], norm: norm, decoder["mid_block"])
        levels = try channels.enumerated().map { index, outputs in
            try VAEUpLevel(
                channels[max(index - 1, 0)], outputs, layers: config.layersPerBlock + 1,
                upsamples: index < channels.count - 1, norm: norm, decoder["up_blocks"][index])
        }
        let last = channels[channels.count - 1]
        normOut = try GroupNorm(
            last, groups: norm.groups, epsilon: norm.epsilon, activation: .silu, decoder["conv_norm_out"])
        convOut = try Conv2d(last, config.outChannels, kernel: 3, decoder["conv_out"].preferring(.float))
    }

    /// - Parameters:
    ///   - latents: `[batch, time, frequency, latentChannels]`, already divided by the scaling factor.
    ///   - isFrugal: whether upsampled features, the largest ones, are computed each time they are read, rather than
    ///     once; the result is the same.
    /// - Returns: log-mel spectrogram `[batch, time · scale, frequency · scale, 1]`.
    package func callAsFunction(_ latents: Tensor, isFrugal: Bool = false) throws -> Tensor {
        var x = try middle(convIn(postQuantConv(latents)))
        for level in levels { x = try level(x, isFrugal: isFrugal) }
        return try convOut(normOut(x))
    }
}

/// One resolution of the decoder, doubled at its end.
package struct VAEUpLevel: Sendable {
    private let resnets: [ResnetBlock]
    private let upsampler: Conv2d?

    package init(
        _ inputs: Int, _ outputs: Int, layers: Int, upsamples: Bool, norm: ResnetBlock.Norm, _ weights: WeightScope
    ) throws {
        resnets = try (0..<layers).map { index in
            try ResnetBlock(index == 0 ? inputs : outputs, outputs, norm: norm, weights["resnets"][index])
        }
        upsampler = try upsamples ? Conv2d(outputs, outputs, kernel: 3, weights["upsamplers.0.conv"]) : nil
    }

    package func callAsFunction(_ x: Tensor, isFrugal: Bool) throws -> Tensor {
        let h = try resnets.reduce(x) { h, resnet in try resnet(h, spendsInput: true) }
        return try upsampler.map {
            try $0(h, resizedTo: (2 * h.shape[1], 2 * h.shape[2]), isDeferred: isFrugal)
        } ?? h
    }
}
