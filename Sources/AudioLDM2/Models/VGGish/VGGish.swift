import Audio
import Evaluation
import Layers
import Tensors
import WeightFile

/// Sound to one embedding for each 0.96 s, by which the Fréchet audio distance is measured.
///
/// Hershey et al. 2017 (arXiv 1609.09430), configuration A of VGG; harritaylor/torchvggish without its PCA and, as
/// audioldm_eval and fadtk use it, without its last ReLU.
package struct VGGish: Sendable {
    private let convolutions: [Conv2d]
    private let hidden: [Linear]
    private let output: Linear
    private let spectrogram = LogMelSpectrogram(
        .init(sampleRate: 16000, fftLength: 512, hop: hop, bands: bands, frequencies: 125...7500),
        scale: .offsetLogMagnitude(0.01), framing: .init(windowLength: windowLength, isCentred: false),
        filters: MelFilterBank(kaldi: bands, frequencies: 125...7500, fftLength: 512, sampleRate: 16000))

    private static let windowLength = 400
    private static let hop = 160
    private static let bands = 64
    /// Frames of a patch.
    private static let frames = 96
    /// Patches that are computed together.
    private static let patchesAtOnce = 8
    /// Places of the convolutions in `features`, and after which of them the picture is halved.
    private static let places = [0, 3, 6, 8, 11, 13]
    private static let pooled: Set = [0, 3, 8, 13]
    /// What four halvings leave of a patch.
    private static let positions = (frames / 16) * (bands / 16)

    package init(_ config: VGGishConfig, _ weights: WeightScope) throws {
        let inputs = [1] + config.channels
        convolutions = try Self.places.enumerated().map { index, place in
            let scope = weights["features"][place].preferring(.float)
            return try Conv2d(inputs[index], config.channels[index], kernel: 3, scope)
        }
        // Two layers hold nearly all weights; every one in int8 adds 1 % to the error.
        let embeddings = weights["embeddings"].preferring(.weightOnly)
        let width = Self.positions * config.channels[5]
        hidden = [
            try Linear(width, config.hiddenSize, embeddings[0]),
            try Linear(config.hiddenSize, config.hiddenSize, embeddings[2]),
        ]
        output = try Linear(config.hiddenSize, config.embeddingSize, embeddings[4].preferring(.float))
    }

    package func callAsFunction(_ samples: [Float], on backend: any Backend) throws -> Judgement {
        let size = Self.frames * Self.bands
        let features = spectrogram(samples)
        let count = features.count / size
        let embeddings = try stride(from: 0, to: count, by: Self.patchesAtOnce).map { first in
            let last = min(first + Self.patchesAtOnce, count)
            return try embed(
                backend.upload(
                    Array(features[first * size..<last * size]), [last - first, Self.frames, Self.bands, 1]))
        }
        return Judgement(embeddings: try Tensor.concatenate(embeddings, axis: 0))
    }

    /// `[patches, frames, bands, 1]` → `[patches, embeddingSize]`.
    private func embed(_ patches: Tensor) throws -> Tensor {
        var x = patches
        for (place, convolution) in zip(Self.places, convolutions) {
            x = try convolution(x, activation: .relu)
            if Self.pooled.contains(place) { x = try x.backend.pool(x, .maximum, height: 2, width: 2) }
        }
        x = try x.reshaped([x.shape[0], x.shape.count / x.shape[0]])
        for layer in hidden { x = try layer(x, activation: .relu) }
        return try output(x)
    }
}

extension VGGish: SoundJudge {
    package static let title = "VGGish"

    /// The whole sound; at least one patch.
    package static func windows(_ rules: EvaluationProtocol, _ config: VGGishConfig) -> WindowRule {
        let patch = windowLength + (frames - 1) * hop
        return .whole(atLeast: max(rules.leastSamples, patch), filling: .zeros)
    }
}
