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
    private let hopLength: Int
    private let reach: Int

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
        (hopLength, reach) = (config.hopLength, config.reach)
        // The reference's last activation has PyTorch's default slope, not the configured one.
        convPost = try Conv1d(
            channels, 1, kernel: 7, inputActivation: .leakyRelu(slope: 0.01), weights["conv_post"].preferring(.float))
        normalization =
            try config.normalizeBefore
            ? Normalization(
                mean: weights.vector("mean", config.modelInDim), scale: weights.vector("scale", config.modelInDim))
            : nil
    }

    /// Frames that are vocoded at a time, so that memory does not grow with the length.
    package static let windowFrames = 256

    /// A part of a spectrogram that is vocoded at once.
    package struct Piece: Sendable {
        /// What samples are made of.
        package let frames: Range<Int>
        /// With what they depend on, on both sides.
        package let context: Range<Int>
    }

    /// The parts of a spectrogram, in order.
    package func pieces(frames: Int, windowFrames: Int = windowFrames) -> [Piece] {
        stride(from: 0, to: frames, by: windowFrames).map { start in
            let end = min(start + windowFrames, frames)
            return Piece(frames: start..<end, context: max(start - reach, 0)..<min(end + reach, frames))
        }
    }

    /// - Parameters:
    ///   - mel: the frames of the piece's context, `[1, frames, bands]`.
    ///   - isLast: whether the sound ends with it.
    /// - Returns: the piece's samples in −1…1; at the end somewhat more than `frames · hopLength`, to be cut.
    package func samples(of piece: Piece, _ mel: Tensor, isLast: Bool) throws -> [Float] {
        let samples = try vocode(mel).values()
        let first = (piece.frames.lowerBound - piece.context.lowerBound) * hopLength
        return Array(samples[first..<(isLast ? samples.count : first + piece.frames.count * hopLength)])
    }

    /// Vocodes window by window. Each is computed with as many frames on both sides as its samples depend on; int8
    /// activations are quantized within it.
    /// - Parameters:
    ///   - mel: log-mel spectrogram `[1, frames, bands]`.
    ///   - windowFrames: frames of a window.
    ///   - onSamples: gets the samples in −1…1, in order, as soon as they are known; in all somewhat more than
    ///     `frames · hopLength`, to be cut.
    package func callAsFunction(
        _ mel: Tensor, windowFrames: Int = windowFrames, _ onSamples: ([Float]) throws -> Void
    ) throws {
        let frames = mel.shape[1]
        for piece in pieces(frames: frames, windowFrames: windowFrames) {
            try onSamples(
                samples(of: piece, mel.slice(axis: 1, piece.context), isLast: piece.frames.upperBound == frames))
        }
    }

    /// The same in one piece: `[batch, frames, bands]` → `[batch, samples, 1]`.
    package func callAsFunction(_ mel: Tensor) throws -> Tensor {
        let waveforms = try (0..<mel.shape[0]).map { sample in
            var waveform: [Float] = []
            try self(mel.outermost(sample..<sample + 1)) { waveform += $0 }
            return waveform
        }
        return try mel.backend.upload(
            Array(waveforms.joined()), [waveforms.count, waveforms.first?.count ?? 0, 1])
    }

    /// `[1, frames, bands]` → `[1, samples, 1]`.
    private func vocode(_ mel: Tensor) throws -> Tensor {
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
        return try mel.backend.normalizeChannels(mel, mean: normalization.mean, deviation: normalization.scale)
    }
}

/// Pairs of a dilated and a plain convolution, each pair around a shortcut.
package struct HiFiGANResidualBlock: Sendable {
    private let pairs: [(dilated: Conv1d, plain: Conv1d)]

    package init(_ channels: Int, kernel: Int, dilations: [Int], slope: Activation, _ weights: WeightScope) throws {
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

    package func callAsFunction(_ x: Tensor) throws -> Tensor {
        try pairs.reduce(x) { h, pair in try pair.plain(pair.dilated(h), residual: h) }
    }
}
