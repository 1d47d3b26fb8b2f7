import Layers
import Tensors
import WeightFile

/// Mel spectrogram to what the magnitudes of its Fourier transform are beside the smoothest ones that have its bands: the
/// harmonics and the grain that bands leave open.
///
/// Our own: HiFi-GAN's layers at the frames' rate; `Weights/training/train_magnitudes.py`.
package struct MagnitudeNetwork: Sendable {
    private let convPre: Conv1d
    private let block: HiFiGANResidualBlock
    private let convPost: Conv1d
    private let bands: Int

    package init(_ config: MagnitudeConfig, _ weights: WeightScope) throws {
        let slope = Activation.leakyRelu(slope: config.leakyReluSlope)
        let width = config.hiddenChannels
        bands = config.modelInDim
        convPre = try Conv1d(
            bands, width, kernel: config.inputKernelSize, weights["conv_pre"].preferring(.float))
        block = try HiFiGANResidualBlock(
            width, kernel: config.kernelSize, dilations: config.dilations, slope: slope, weights["resblock"])
        convPost = try Conv1d(width, config.numBins, kernel: 1, inputActivation: slope, weights["conv_post"])
    }

    /// What is added to the magnitudes' logarithms at most.
    private static let limit: Float = 8

    /// - Parameter mel: natural logarithms of sums of magnitudes, `[frames, bands]`.
    /// - Returns: what to add to the natural logarithms of the magnitudes, `[frames, bins]`.
    package func callAsFunction(_ mel: [Float], on backend: any Backend) throws -> [Float] {
        // Within about −2…1.5.
        let scaled = mel.map { $0 / 4 + 1 }
        let rows = try backend.upload(scaled, [1, mel.count / bands, bands])
        return try self(rows).values().map { min(max($0, -Self.limit), Self.limit) }
    }

    /// The layers: `[1, frames, bands]` → `[1, frames, bins]`.
    private func callAsFunction(_ mel: Tensor) throws -> Tensor {
        var progress = HiFiGANResidualBlock.Progress()
        let x = try convPre(Stretch(mel, isLast: true))
        return try convPost(block(x, &progress).tensor)
    }
}
