import Audio
import Evaluation
import Layers
import Tensors
import WeightFile

/// Sound to one embedding and the logits of AudioSet's 527 classes.
///
/// Kong et al. 2020 (arXiv 1912.10211), table 2; `Cnn14` and `Cnn14_16k` of the authors' repository. Their batch norms are part
/// of the convolutions by conversion, but for the first one, which scales the spectrogram's bands.
package struct Cnn14: Sendable {
    private let config: Cnn14Config
    /// The mel filters as the file has them, `[bins, bands]`.
    private let filters: any Weight
    private let scale: any Weight
    private let shift: any Weight
    private let blocks: [Block]
    private let embedding: Linear
    private let classes: Linear

    /// Blocks whose pictures are large: each window's by itself, those of the others together.
    private static let blocksApart = 3

    /// Two convolutions.
    private struct Block: Sendable {
        let first: Conv2d
        let second: Conv2d

        init(_ inputs: Int, _ outputs: Int, _ weights: WeightScope) throws {
            first = try Conv2d(inputs, outputs, kernel: 3, allowsTiles: true, weights["conv1"])
            second = try Conv2d(outputs, outputs, kernel: 3, allowsTiles: true, weights["conv2"])
        }

        func callAsFunction(_ x: Tensor) throws -> Tensor {
            try second(first(x, activation: .relu), activation: .relu)
        }
    }

    package init(_ config: Cnn14Config, _ weights: WeightScope) throws {
        self.config = config
        filters = try weights["logmel_extractor"].preferring(.full).table(
            "melW", rows: config.binCount, width: config.melBins)
        scale = try weights["bn0"].vector("weight", config.melBins)
        shift = try weights["bn0"].vector("bias", config.melBins)
        let inputs = [1] + config.channels
        // The last block holds most weights; every layer in int8 adds 1 % to the error.
        blocks = try config.channels.enumerated().map { index, outputs in
            let isLast = index == config.halvings
            return try Block(
                inputs[index], outputs,
                weights["conv_block\(index + 1)"].preferring(isLast ? .weightOnly : .float))
        }
        let dense = weights.preferring(.float)
        embedding = try Linear(inputs[config.channels.count], config.embeddingSize, dense["fc1"])
        classes = try Linear(config.embeddingSize, config.classesNum, dense["fc_audioset"])
    }

    package func callAsFunction(_ windows: [[Float]], on backend: any Backend) throws -> [Judgement] {
        let apart = 0..<min(Self.blocksApart, blocks.count)
        var parts: [Tensor] = []
        for picture in try pictures(windows, on: backend) { parts.append(try seen(picture, by: apart)) }
        let all = try Tensor.concatenate(parts, axis: 0)
        parts = []
        let embeddings = try embedding(pooled(seen(all, by: apart.upperBound..<blocks.count)), activation: .relu)
        let logits = try classes(embeddings)
        return try windows.indices.map {
            Judgement(embeddings: try embeddings.outermost($0..<$0 + 1), logits: try logits.outermost($0..<$0 + 1))
        }
    }

    private func seen(_ picture: Tensor, by range: Range<Int>) throws -> Tensor {
        var x = picture
        for index in range {
            x = try blocks[index](x)
            if index < config.halvings { x = try halved(x) }
        }
        return x
    }

    /// Decibels of the bands, normalized: `[1, frames, bands, 1]` of each window.
    private func pictures(_ windows: [[Float]], on backend: any Backend) throws -> [Tensor] {
        let spectrogram = LogMelSpectrogram(
            .init(
                sampleRate: config.samplingRate, fftLength: config.windowSize, hop: config.hopSize,
                bands: config.melBins, frequencies: 0...Double(config.samplingRate) / 2),
            scale: .decibels(floor: 1e-10),
            filters: MelFilterBank(
                matrix: try backend.gather(filters, Array(0..<config.binCount)).values(), bands: config.melBins))
        // What the halvings would leave nothing of is followed by silence.
        let least = ((1 << config.halvings) - 1) * config.hopSize
        let (scale, shift) = (try backend.tensor(scale).values(), try backend.tensor(shift).values())
        let bands = config.melBins
        let pictures = try windows.mapInParallel(on: backend) { samples in
            var values = spectrogram(samples + [Float](repeating: 0, count: max(least - samples.count, 0)))
            for index in values.indices { values[index] = values[index] * scale[index % bands] + shift[index % bands] }
            return values
        }
        return try pictures.map { try backend.upload($0, [1, $0.count / bands, bands, 1]) }
    }

    /// Means of squares of four; what is left over at the end is not heard.
    private func halved(_ x: Tensor) throws -> Tensor {
        let (rows, columns) = (x.shape[1] / 2 * 2, x.shape[2] / 2 * 2)
        let even = try x.slice(axis: 1, 0..<rows).slice(axis: 2, 0..<columns)
        return try x.backend.pool(even, .mean, height: 2, width: 2)
    }

    /// The mean over frequencies, of which the mean over time and the maximum are added: `[windows, channels]`.
    private func pooled(_ x: Tensor) throws -> Tensor {
        let bands = try x.backend.pool(x, .mean, height: 1, width: x.shape[2])
        let mean = try bands.backend.pool(bands, .mean, height: bands.shape[1], width: 1)
        let maximum = try bands.backend.pool(bands, .maximum, height: bands.shape[1], width: 1)
        return try (mean + maximum).reshaped([x.shape[0], x.shape[3]])
    }
}

extension Cnn14: SoundJudge {
    package static let title = "Cnn14"

    /// As the protocol has it for judges of classes, but kadtk's hears a sound whole.
    package static func windows(_ rules: EvaluationProtocol, _ config: Cnn14Config) -> WindowRule {
        rules.isToolkit
            ? .whole(atLeast: rules.leastSamples, filling: .zeros) : rules.windows(sampleRate: config.samplingRate)
    }
}
