import Audio
import Foundation

/// A judge without a network: how loud each band of a log-mel spectrogram is on average, and how much it varies, second by
/// second. It hears timbre and loudness and no meaning: good for comparing a model with a conversion of itself, not for saying
/// how good a sound is, and not comparable with FAD.
public struct LogMelJudge: Judge {
    public static let name = "log-mel"

    public let identity = JudgeIdentity(name: name, hash: "log-mel-statistics-1")
    public let sampleRate = 16000
    public let width = 2 * bands

    private static let bands = 64
    private static let hop = 160
    /// Frames that an embedding is of.
    private static let patch = 96

    private let spectrogram = LogMelSpectrogram(
        .init(sampleRate: 16000, fftLength: 512, hop: hop, bands: bands, frequencies: 50...8000),
        scale: .logMagnitude(floor: 1e-4))

    public init() {}

    public func windows(_ rules: EvaluationProtocol) -> WindowRule {
        .whole(atLeast: max(rules.leastSamples, Self.patch * Self.hop), filling: .zeros)
    }

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
