import Layers
import Tensors
import WeightFile

/// Mel spectrogram to waveform.
///
/// Kong et al. 2020 (arXiv 2010.05646); transformers `SpeechT5HifiGan`.
package struct HiFiGAN: Sendable {
    private let convPre: Conv1d
    private let stages: [HiFiGANStage]
    private let convPost: Conv1d
    private let normalization: Normalization?
    private let reach: Int

    private struct Normalization: Sendable {
        let mean: any Weight
        let scale: any Weight
    }

    package init(_ config: HiFiGANConfig, _ weights: WeightScope) throws {
        let initial = config.upsampleInitialChannel
        convPre = try Conv1d(config.modelInDim, initial, kernel: 7, weights["conv_pre"].preferring(.float))
        stages = try config.upsampleRates.indices.map { try HiFiGANStage(config, number: $0, weights) }
        // The reference's last activation has PyTorch's default slope, not the configured one.
        convPost = try Conv1d(
            initial >> config.upsampleRates.count, 1, kernel: 7, inputActivation: .leakyRelu(slope: 0.01),
            weights["conv_post"].preferring(.float))
        normalization =
            try config.normalizeBefore
            ? Normalization(
                mean: weights.vector("mean", config.modelInDim), scale: weights.vector("scale", config.modelInDim))
            : nil
        reach = config.reach
    }

    /// Frames that are vocoded at a time, so that memory does not grow with the length.
    package static let windowFrames = 128

    /// The parts in which a spectrogram is vocoded, in order. Only the last may be too short for a sample to depend on no later
    /// part.
    package func pieces(frames: Int, windowFrames: Int = windowFrames) -> [Range<Int>] {
        let first = min(max(windowFrames, reach + 1), frames)
        return [0..<first]
            + stride(from: first, to: frames, by: windowFrames).map { $0..<min($0 + windowFrames, frames) }
    }

    /// Vocodes piece by piece. Int8 activations are quantized within each.
    /// - Parameters:
    ///   - mel: log-mel spectrogram `[1, frames, bands]`.
    ///   - windowFrames: frames of a piece.
    ///   - onSamples: gets the samples in −1…1, in order, as soon as they are known; in all somewhat more than
    ///     `frames · hopLength`, to be cut.
    package func callAsFunction(
        _ mel: Tensor, windowFrames: Int = windowFrames, _ onSamples: ([Float]) throws -> Void
    ) throws {
        let mel = Stretch(mel, isLast: true)
        var progress = Progress()
        for piece in pieces(frames: mel.rows.count, windowFrames: windowFrames) {
            let frames = frames(for: piece)
            let stretch = Stretch(
                try mel(frames), from: frames.lowerBound, isLast: frames.upperBound == mel.rows.upperBound)
            try onSamples(samples(of: stretch, &progress))
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
}

// MARK: - In pieces

extension HiFiGAN {
    /// What is kept of a sound between its pieces: of every convolution's result, the rows that are read again.
    package struct Progress: Sendable {
        fileprivate var pre: Stretch?
        fileprivate var stages: [HiFiGANStage.Progress] = []
        fileprivate var samples: Stretch?

        package init() {}
    }

    /// The frames of a spectrogram that a piece reads.
    package func frames(for piece: Range<Int>) -> Range<Int> {
        max(piece.lowerBound - convPre.reach, 0)..<piece.upperBound
    }

    /// - Parameters:
    ///   - mel: log-mel spectrogram, of the frames for the next piece.
    ///   - progress: of the pieces before.
    /// - Returns: the samples in −1…1 that are settled now and were not before.
    package func samples(of mel: Stretch, _ progress: inout Progress) throws -> [Float] {
        if progress.stages.isEmpty { progress.stages = stages.map { _ in HiFiGANStage.Progress() } }
        let normalized = Stretch(try normalized(mel.tensor), from: mel.rows.lowerBound, isLast: mel.isLast)
        let pre = try convPre(normalized, after: progress.pre)
        progress.pre = try pre.kept(from: pre.rows.upperBound - stages[0].reach)
        var x = pre
        for (index, stage) in stages.enumerated() {
            let reader = index + 1 < stages.count ? stages[index + 1].reach : convPost.reach
            x = try stage(x, readAgain: reader, &progress.stages[index])
        }
        let first = progress.samples?.rows.upperBound ?? 0
        let samples = try convPost(x, after: progress.samples, activation: .tanh)
        progress.samples = try samples.kept(from: samples.rows.upperBound)
        return try samples(first..<samples.rows.upperBound).values()
    }

    private func normalized(_ mel: Tensor) throws -> Tensor {
        guard let normalization else { return mel }
        return try mel.backend.normalizeChannels(mel, mean: normalization.mean, deviation: normalization.scale)
    }
}
