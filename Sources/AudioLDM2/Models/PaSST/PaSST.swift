import Audio
import Evaluation
import Layers
import Tensors
import WeightFile

/// Sound, ten seconds of it, to one embedding and the logits of AudioSet's 527 classes.
///
/// Koutini et al. 2022 (arXiv 2110.05069): a vision transformer whose patches overlap, with positions in time and in frequency
/// apart; `passt_s_swa_p16_128_ap476` of hear21passt. What is longer than its positions is not heard.
package struct PaSST: Sendable {
    private let config: PaSSTConfig
    private let patchEmbedding: Conv2d
    private let classToken: any Weight
    private let distillationToken: any Weight
    /// Of these two tokens.
    private let tokenPositions: any Weight
    private let frequencyPositions: any Weight
    private let timePositions: any Weight
    private let blocks: [ViTBlock]
    private let norm: LayerNorm
    private let headNorm: LayerNorm
    private let head: Linear
    private let spectrogram = LogMelSpectrogram(
        .init(sampleRate: 32000, fftLength: 1024, hop: hop, bands: bands, frequencies: frequencies),
        scale: .offsetLogPower(1e-5), framing: .init(windowLength: 800, isSymmetric: true),
        filters: MelFilterBank(kaldi: bands, frequencies: frequencies, fftLength: 1024, sampleRate: 32000))

    private static let hop = 320
    static let bands = 128
    private static let frequencies = 0.0...15000.0
    private static let preemphasis: Float = 0.97

    package init(_ config: PaSSTConfig, _ weights: WeightScope) throws {
        self.config = config
        let width = config.embeddingSize
        // Runs once for a window, on features with outliers: inputs stay float.
        let weights = weights.preferring(.weightOnly)
        patchEmbedding = try Conv2d(
            1, width, kernel: config.patchSize, stride: config.stride, padding: .init(0),
            weights["patch_embed.proj"].preferring(.float))
        classToken = try weights.vector("cls_token", width)
        distillationToken = try weights.vector("dist_token", width)
        let positions = weights.preferring(.float)
        tokenPositions = try positions.table("new_pos_embed", rows: 2, width: width)
        frequencyPositions = try positions.table("freq_new_pos_embed", rows: config.frequencyPatches, width: width)
        timePositions = try positions.table("time_new_pos_embed", rows: config.timePatches, width: width)
        // What the first layers add to the error the others add to: in int8 they make it twice as large.
        blocks = try (0..<config.depth).map {
            try ViTBlock(
                width, heads: config.numHeads, inner: config.mlpSize, epsilon: 1e-6,
                weights["blocks"][$0].preferring($0 < config.depth / 3 ? .float : .weightOnly))
        }
        norm = try LayerNorm(width, epsilon: 1e-6, weights["norm"])
        headNorm = try LayerNorm(width, weights["head.0"])
        head = try Linear(width, config.numClasses, weights["head.1"].preferring(.float))
    }

    package func callAsFunction(_ windows: [[Float]], on backend: any Backend) throws -> [Judgement] {
        let pictures = try windows.mapInParallel(on: backend, picture)
        return try pictures.map {
            try judgement(of: backend.upload($0, [1, Self.bands, $0.count / Self.bands, 1]))
        }
    }

    private func judgement(of picture: Tensor) throws -> Judgement {
        let backend = picture.backend
        let tokens = [classToken, distillationToken]
        let first = try Tensor.concatenate(
            tokens.map { try backend.tensor($0).reshaped([1, 1, config.embeddingSize]) }, axis: 1)
        let places = try backend.gather(tokenPositions, [0, 1]).reshaped(first.shape)
        var x = try Tensor.concatenate([first + places, patches(picture)], axis: 1)
        for block in blocks { x = try block(x) }
        let heard = try norm(x.slice(axis: 1, 0..<2)).reshaped([2, config.embeddingSize])
        let embedding = try backend.combine([(0.5, heard.outermost(0..<1)), (0.5, heard.outermost(1..<2))])
        return Judgement(embeddings: embedding, logits: try head(headNorm(embedding)))
    }

    /// Normalized log powers of bands, `[bands, frames]`.
    @Sendable private func picture(_ samples: [Float]) -> [Float] {
        // At least as many samples as one patch needs, silence behind them.
        let least = (config.patchSize - 1) * Self.hop + 1
        let heard = samples + [Float](repeating: 0, count: max(least - samples.count, 0))
        let emphasized = zip(heard, heard.dropFirst()).map { $1 - Self.preemphasis * $0 }
        let (bands, values) = (Self.bands, spectrogram(emphasized))
        let frames = min(values.count / bands, config.extent(ofPatches: config.timePatches))
        var picture = [Float](repeating: 0, count: frames * bands)
        for frame in 0..<frames {
            for band in 0..<bands { picture[band * frames + frame] = (values[frame * bands + band] + 4.5) / 5 }
        }
        return picture
    }

    /// Embedded patches at their places, frequency by frequency: `[1, patches, width]`.
    private func patches(_ picture: Tensor) throws -> Tensor {
        let backend = picture.backend
        let grid = try patchEmbedding(picture)
        let (rows, columns) = (grid.shape[1], grid.shape[2])
        let tokens = try grid.reshaped([1, rows * columns, grid.shape[3]])
        let frequencies = (0..<rows * columns).map { $0 / columns }
        let times = (0..<rows * columns).map { $0 % columns }
        return try tokens + backend.gather(timePositions, times).reshaped(tokens.shape)
            + backend.gather(frequencyPositions, frequencies).reshaped(tokens.shape)
    }
}

extension PaSST: SoundJudge {
    package static let title = "PaSST"

    /// As the protocol has it for judges of classes, but kadtk's hears the first ten seconds.
    package static func windows(_ rules: EvaluationProtocol, _ config: PaSSTConfig) -> WindowRule {
        rules.isToolkit
            ? .first(10 * config.samplingRate, filling: .zeros) : rules.windows(sampleRate: config.samplingRate)
    }
}
