import Audio
import Evaluation
import Layers
import Tensors
import WeightFile

/// Music to an embedding of every three seconds and the logits of 50 tags.
///
/// Pons & Serra 2019 (arXiv 1909.06654), section 2; `build_musicnn` of the authors' package. Spectrograms are as librosa made
/// them when it was trained, with the sound mirrored at its ends, and not rounded to float16, which overflows for loud sounds.
package struct MusicNN: Sendable {
    private let inputNorm: BatchNorm
    private let timbral: [FrontEnd]
    private let temporal: [FrontEnd]
    private let midend: [Midend]
    private let poolNorm: BatchNorm
    private let dense: Linear
    private let denseNorm: BatchNorm
    private let output: Linear
    private let embeddingSize: Int
    private let spectrogram = LogMelSpectrogram(
        .init(sampleRate: 16000, fftLength: 512, hop: hop, bands: bands, frequencies: 0...8000),
        scale: .log10Power(times: 10000))

    private static let hop = 256
    private static let bands = 96
    /// Frames of a patch: three seconds.
    private static let frames = 187
    /// Bands that a timbral filter covers, frames that a temporal one does.
    private static let timbralWidths = [38, 67]
    private static let temporalHeights = [128, 64, 32]

    package init(_ config: MusicNNConfig, _ weights: WeightScope) throws {
        // Small, and its differences rank: nothing is quantized on its way in.
        let weights = weights.preferring(.float)
        inputNorm = try BatchNorm(1, weights["frontend.norm"])
        timbral = try Self.timbralWidths.enumerated().map { index, width in
            try FrontEnd(
                config.timbralChannels, height: 7, width: width, weights["frontend.timbral"][index])
        }
        temporal = try Self.temporalHeights.enumerated().map { index, height in
            try FrontEnd(config.temporalChannels, height: height, width: 1, weights["frontend.temporal"][index])
        }
        let front =
            Self.timbralWidths.count * config.timbralChannels + Self.temporalHeights.count * config.temporalChannels
        midend = try (0..<3).map {
            try Midend($0 == 0 ? front : config.midendChannels, config.midendChannels, weights["midend"][$0])
        }
        let width = 2 * (front + 3 * config.midendChannels)
        poolNorm = try BatchNorm(width, weights["backend.pool_norm"])
        dense = try Linear(width, config.embeddingSize, weights["backend.dense"].preferring(.weightOnly))
        denseNorm = try BatchNorm(config.embeddingSize, weights["backend.norm"])
        output = try Linear(config.embeddingSize, config.classes, weights["backend.output"])
        embeddingSize = config.embeddingSize
    }

    /// - Returns: of each window an embedding for each patch, and the mean of their logits.
    package func callAsFunction(_ windows: [[Float]], on backend: any Backend) throws -> [Judgement] {
        let size = Self.frames * Self.bands
        let features = try windows.mapInParallel(on: backend) { samples in
            let values = spectrogram(samples)
            // Silence, which is zero, behind sounds that do not fill a patch.
            return values + Array(repeating: 0, count: max(size - values.count, 0))
        }
        return try features.map { try judgement(of: $0, on: backend) }
    }

    private func judgement(of features: [Float], on backend: any Backend) throws -> Judgement {
        let size = Self.frames * Self.bands
        let patches = try stride(from: 0, through: features.count - size, by: size).map { first in
            try tags(backend.upload(Array(features[first..<first + size]), [1, Self.frames, Self.bands, 1]))
        }
        let share = 1 / Float(patches.count)
        return Judgement(
            embeddings: try Tensor.concatenate(patches.map(\.embedding), axis: 0),
            logits: try backend.combine(patches.map { (factor: share, tensor: $0.logits) }))
    }

    /// Of a patch `[1, frames, bands, 1]`: `[1, embeddingSize]` and `[1, classes]`.
    private func tags(_ patch: Tensor) throws -> (embedding: Tensor, logits: Tensor) {
        let backend = patch.backend
        let input = try inputNorm(patch)
        let front = try Tensor.concatenate((timbral + temporal).map { try $0(input) })
        let first = try midend[0](front)
        let second = try midend[1](first) + first
        let third = try midend[2](second) + second
        let all = try Tensor.concatenate([front, first, second, third])
        let places = try all.reshaped([1, Self.frames, 1, all.shape.last])
        let pooled = try Tensor.concatenate([
            backend.pool(places, .maximum, height: Self.frames, width: 1),
            backend.pool(places, .mean, height: Self.frames, width: 1),
        ])
        let flat = try poolNorm(pooled.reshaped([1, pooled.shape.last]))
        let embedding = try denseNorm(dense(flat, activation: .relu))
        return (embedding, try output(embedding))
    }

    /// A convolution of the spectrogram, and of its results the largest of all bands.
    private struct FrontEnd: Sendable {
        let convolution: Conv2d
        let norm: BatchNorm

        init(_ outputs: Int, height: Int, width: Int, _ weights: WeightScope) throws {
            convolution = try Conv2d(
                1, outputs, kernelHeight: height, kernelWidth: width,
                padding: .init(top: (height - 1) / 2, bottom: height / 2), weights["conv"])
            norm = try BatchNorm(outputs, weights["norm"])
        }

        /// `[1, frames, bands, 1]` → `[1, frames, outputs]`.
        func callAsFunction(_ x: Tensor) throws -> Tensor {
            let y = try norm(convolution(x, activation: .relu))
            return try y.backend.pool(y, .maximum, height: 1, width: y.shape[2]).reshaped([1, y.shape[1], y.shape[3]])
        }
    }

    private struct Midend: Sendable {
        let convolution: Conv1d
        let norm: BatchNorm

        init(_ inputs: Int, _ outputs: Int, _ weights: WeightScope) throws {
            convolution = try Conv1d(inputs, outputs, kernel: 7, weights["conv"])
            norm = try BatchNorm(outputs, weights["norm"])
        }

        /// `[1, frames, inputs]` → `[1, frames, outputs]`.
        func callAsFunction(_ x: Tensor) throws -> Tensor { try norm(convolution(x, activation: .relu)) }
    }
}

extension MusicNN: SoundJudge {
    package static let title = "MusicNN"

    /// The whole sound; at least one patch.
    package static func windows(_ rules: EvaluationProtocol, _ config: MusicNNConfig) -> WindowRule {
        .whole(atLeast: max(rules.leastSamples, (frames - 1) * hop), filling: .zeros)
    }
}
