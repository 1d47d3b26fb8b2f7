import Layers
import Tensors
import WeightFile

/// Mel spectrogram to waveform.
///
/// Kong et al. 2020 (arXiv 2010.05646); transformers `SpeechT5HifiGan`.
package struct HiFiGAN: Sendable {
    private let convPre: Conv1d
    private let stages: [Stage]
    private let convPost: Conv1d
    private let normalization: Normalization?

    /// One upsampling and the residual blocks whose results are averaged after it.
    private struct Stage: Sendable {
        let upsampler: ConvTranspose1d
        let blocks: [HiFiGANResidualBlock]
    }

    private struct Normalization: Sendable {
        let mean: any Weight
        let scale: any Weight
    }

    package init(_ config: HiFiGANConfig, _ weights: WeightScope) throws {
        let slope = Activation.leakyRelu(slope: config.leakyReluSlope)
        var channels = config.upsampleInitialChannel
        convPre = try Conv1d(config.modelInDim, channels, kernel: 7, weights["conv_pre"].preferring(.float))
        stages = try config.upsampleRates.indices.map { stage in
            let (rate, kernel) = (config.upsampleRates[stage], config.upsampleKernelSizes[stage])
            let upsampler = try ConvTranspose1d(
                channels, channels / 2, kernel: kernel, stride: rate, padding: (kernel - rate) / 2,
                inputActivation: slope, weights["upsampler"][stage])
            channels /= 2
            let count = config.resblockKernelSizes.count
            let blocks = try (0..<count).map { index in
                try HiFiGANResidualBlock(
                    channels, kernel: config.resblockKernelSizes[index], dilations: config.resblockDilationSizes[index],
                    slope: slope, weights["resblocks"][stage * count + index])
            }
            return Stage(upsampler: upsampler, blocks: blocks)
        }
        // The reference's last activation has PyTorch's default slope, not the configured one.
        convPost = try Conv1d(
            channels, 1, kernel: 7, inputActivation: .leakyRelu(slope: 0.01), weights["conv_post"].preferring(.float))
        normalization =
            try config.normalizeBefore
            ? Normalization(
                mean: weights.vector("mean", config.modelInDim), scale: weights.vector("scale", config.modelInDim))
            : nil
    }

    /// - Parameter mel: log-mel spectrogram `[batch, frames, bands]`.
    /// - Returns: samples in −1…1, `[batch, samples, 1]`; somewhat more than `frames · hopLength`, to be cut.
    package func callAsFunction(_ mel: Tensor) throws -> Tensor {
        var x = try convPre(normalized(mel))
        for stage in stages {
            let h = try stage.upsampler(x)
            let share = 1 / Float(stage.blocks.count)
            x = try h.backend.combine(stage.blocks.map { (factor: share, tensor: try $0(h)) })
        }
        return try convPost(x, activation: .tanh)
    }

    private func normalized(_ mel: Tensor) throws -> Tensor {
        guard let normalization else { return mel }
        let mean = try mel.backend.tensor(normalization.mean).values()
        let scale = try mel.backend.tensor(normalization.scale).values()
        let values = try mel.values().enumerated().map { index, value in
            (value - mean[index % mean.count]) / scale[index % scale.count]
        }
        return try mel.backend.upload(values, mel.shape)
    }
}

/// Pairs of a dilated and a plain convolution, each pair around a shortcut.
struct HiFiGANResidualBlock: Sendable {
    private let pairs: [(dilated: Conv1d, plain: Conv1d)]

    init(_ channels: Int, kernel: Int, dilations: [Int], slope: Activation, _ weights: WeightScope) throws {
        pairs = try dilations.enumerated().map { index, dilation in
            (
                dilated: try Conv1d(
                    channels, channels, kernel: kernel, dilation: dilation, inputActivation: slope,
                    weights["convs1"][index]),
                plain: try Conv1d(
                    channels, channels, kernel: kernel, inputActivation: slope, weights["convs2"][index])
            )
        }
    }

    func callAsFunction(_ x: Tensor) throws -> Tensor {
        try pairs.reduce(x) { h, pair in try pair.plain(pair.dilated(h), residual: h) }
    }
}
