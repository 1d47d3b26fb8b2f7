import Audio
import Glibc

/// `feature_extractor/preprocessor_config.json` of transformers' `ClapFeatureExtractor`.
package struct CLAPFeatureConfig: ModelConfig, Encodable, Equatable {
    /// In Hz.
    package let samplingRate: Int
    let fftWindowSize: Int
    let hopLength: Int
    /// Bands.
    package let featureSize: Int
    let frequencyMin: Double
    let frequencyMax: Double
    /// Length of what the model hears, in seconds.
    package let maxLengthS: Int
    let truncation: String
    let padding: String
    /// Slaney's unless given: "htk" is that of fused checkpoints, without a normalization.
    let melScale: String?

    enum CodingKeys: String, CodingKey {
        case samplingRate = "sampling_rate"
        case fftWindowSize = "fft_window_size"
        case hopLength = "hop_length"
        case featureSize = "feature_size"
        case frequencyMin = "frequency_min"
        case frequencyMax = "frequency_max"
        case maxLengthS = "max_length_s"
        case truncation, padding
        case melScale = "mel_scale"
    }

    /// What the published models hear, for checkpoints that do not say.
    package static let published = published(melScale: nil)

    /// The same for sounds of no more than ten seconds with fused checkpoints.
    package static let publishedFused = published(melScale: htk)

    private static func published(melScale: String?) -> CLAPFeatureConfig {
        CLAPFeatureConfig(
            samplingRate: 48000, fftWindowSize: 1024, hopLength: 480, featureSize: 64, frequencyMin: 50,
            frequencyMax: 14000, maxLengthS: 10, truncation: "rand_trunc", padding: "repeatpad", melScale: melScale)
    }

    private static let htk = "htk"

    /// Nil for Slaney's.
    var filters: MelFilterBank? {
        guard melScale == Self.htk else { return nil }
        return MelFilterBank(
            htk: featureSize, frequencies: frequencyMin...frequencyMax, fftLength: fftWindowSize,
            sampleRate: samplingRate)
    }

    var sampleCount: Int { maxLengthS * samplingRate }

    package func validate(component: String) throws {
        let check = ConfigCheck(component: component)
        try check.require("sampling_rate", samplingRate, in: 1000...768_000)
        try check.require("fft_window_size", fftWindowSize, isOneOf: (6...16).map { 1 << $0 })
        try check.require("hop_length", hopLength, in: 1...65536)
        try check.require("feature_size", featureSize, in: 1...4096)
        try check.require("max_length_s", maxLengthS, in: 1...60)
        try check.require("truncation", truncation, isOneOf: ["rand_trunc"])
        try check.require("padding", padding, isOneOf: ["repeatpad"])
        try check.require("mel_scale", melScale, isOneOf: ["slaney", Self.htk])
        try check.require(
            "frequency_min, frequency_max", from: frequencyMin, to: frequencyMax, atSamplingRate: samplingRate)
    }
}

/// Sound to the spectrogram that CLAP hears.
///
/// transformers `ClapFeatureExtractor`, but for sounds that are too long: of these it takes a random part, this one the
/// first, so that the same sound always scores the same.
package struct CLAPFeatures: Sendable {
    private let spectrogram: LogMelSpectrogram
    private let sampleCount: Int

    package init(_ config: CLAPFeatureConfig) {
        sampleCount = config.sampleCount
        spectrogram = LogMelSpectrogram(
            .init(
                sampleRate: config.samplingRate, fftLength: config.fftWindowSize, hop: config.hopLength,
                bands: config.featureSize, frequencies: config.frequencyMin...config.frequencyMax),
            scale: .decibels(floor: 1e-10), filters: config.filters)
    }

    /// - Parameter samples: mono, at the config's rate; at least one.
    /// - Returns: decibels `[frames, bands]`, as many frames for every sound: shorter ones are repeated as often as they fit,
    ///   then followed by silence.
    package func callAsFunction(_ samples: [Float]) -> [Float] {
        var heard = Array(samples.prefix(sampleCount))
        heard = Array(repeating: heard, count: sampleCount / heard.count).flatMap(\.self)
        heard += [Float](repeating: 0, count: sampleCount - heard.count)
        return spectrogram(heard)
    }
}
