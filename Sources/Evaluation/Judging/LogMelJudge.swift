import Audio
import Glibc

/// A judge without a network: how loud each band of a log-mel spectrogram is on average, and how much it varies, second by
/// second. It hears timbre and loudness and no meaning: good for comparing a model with a conversion of itself, not for saying
/// how good a sound is, and not comparable with FAD.
public struct LogMelJudge: Judge {
    /// The judge's name, as the command takes it.
    public static let name = "log-mel"

    /// A name and a hash that change with anything that changes the numbers.
    public let identity = JudgeIdentity(name: name, hash: "log-mel-statistics-1")
    /// Rate of the samples that it hears, in Hz.
    public let sampleRate = 16000
    /// Numbers of an embedding: the mean of each of 64 bands, then the standard deviation of each.
    public let width = 2 * bands

    private static let bands = 64
    private static let hop = 160
    /// Frames that an embedding is of.
    private static let patch = 96

    private let spectrogram = LogMelSpectrogram(
        .init(sampleRate: 16000, fftLength: 512, hop: hop, bands: bands, frequencies: 50...8000),
        scale: .logMagnitude(floor: 1e-4))

    /// The judge, which needs no weights.
    public init() {}

    /// The whole sound, filled with zeros to one embedding's length, 96 frames, or to the protocol's least.
    public func windows(_ rules: EvaluationProtocol) -> WindowRule {
        .whole(atLeast: max(rules.leastSamples, Self.patch * Self.hop), filling: .zeros)
    }

    /// A row of `width` for each 96 whole frames, 0.96 s, of each window.
    /// - Throws: `EvaluationError.notFinite` for samples that are infinite or none.
    public func hear(_ windows: [[Float]]) throws -> [Heard] {
        try windows.map { Heard(embeddings: try embeddings(of: $0)) }
    }

    private func embeddings(of samples: [Float]) throws -> Embeddings {
        let (bands, patch) = (Self.bands, Self.patch)
        let values = spectrogram(samples)
        var result: [Float] = []
        for start in stride(from: 0, through: values.count / bands - patch, by: patch) {
            let (means, deviations) = (0..<bands).reduce(into: ([Float](), [Float]())) { result, band in
                let column = (start..<start + patch).map { Double(values[$0 * bands + band]) }
                let mean = column.reduce(0, +) / Double(patch)
                let variance = column.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(patch)
                result.0.append(Float(mean))
                result.1.append(Float(variance.squareRoot()))
            }
            result += means + deviations
        }
        return try Embeddings(width: width, values: result)
    }
}
