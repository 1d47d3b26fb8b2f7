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
    /// Patches that are convolved together, and those whose results are, by the layers that hold most weights.
    private static let patchesAtOnce = 16
    private static let patchesAtEnd = 128
    /// Places of the convolutions in `features`, and after which of them the picture is halved.
    private static let places = [0, 3, 6, 8, 11, 13]
    private static let pooled: Set = [0, 3, 8, 13]
    /// What four halvings leave of a patch.
    private static let positions = (frames / 16) * (bands / 16)

    package init(_ config: VGGishConfig, _ weights: WeightScope) throws {
        let inputs = [1] + config.channels
        convolutions = try Self.places.enumerated().map { index, place in
            let scope = weights["features"][place].preferring(.float)
            return try Conv2d(inputs[index], config.channels[index], kernel: 3, allowsTiles: true, scope)
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

    package func callAsFunction(_ windows: [[Float]], on backend: any Backend) throws -> [Judgement] {
        let size = Self.frames * Self.bands
        let features = try windows.mapInParallel(on: backend) { samples in
            let values = spectrogram(samples)
            return Array(values.prefix(values.count / size * size))
        }
        let all = features.flatMap(\.self)
        let embeddings = try Tensor.concatenate(
            Self.pieces(of: 0..<all.count / size, Self.patchesAtEnd).map { some in
                let seen = try Self.pieces(of: some, Self.patchesAtOnce).map { patches in
                    let values = Array(all[patches.lowerBound * size..<patches.upperBound * size])
                    return try see(backend.upload(values, [patches.count, Self.frames, Self.bands, 1]))
                }
                return try embed(Tensor.concatenate(seen, axis: 0))
            }, axis: 0)
        var first = 0
        return try features.map { values in
            defer { first += values.count / size }
            return Judgement(embeddings: try embeddings.outermost(first..<first + values.count / size))
        }
    }

    private static func pieces(of range: Range<Int>, _ most: Int) -> [Range<Int>] {
        stride(from: range.lowerBound, to: range.upperBound, by: most).map { $0..<min($0 + most, range.upperBound) }
    }

    /// `[patches, frames, bands, 1]` → `[patches, positions × channels]`.
    private func see(_ patches: Tensor) throws -> Tensor {
        var x = patches
        for (place, convolution) in zip(Self.places, convolutions) {
            x = try convolution(x, activation: .relu)
            if Self.pooled.contains(place) { x = try x.backend.pool(x, .maximum, height: 2, width: 2) }
        }
        return try x.reshaped([x.shape[0], x.shape.count / x.shape[0]])
    }

    /// `[patches, positions × channels]` → `[patches, embeddingSize]`.
    private func embed(_ seen: Tensor) throws -> Tensor {
        var x = seen
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
