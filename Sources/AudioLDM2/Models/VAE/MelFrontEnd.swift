import Audio
import Glibc
import Tensors

/// The spectrogram that a VAE was trained on. The names are those of the authors' configurations
/// (`preprocessing.audio`, `.stft`, `.mel`); diffusers' hold none, so the converter writes them into the pack.
package struct MelConfig: ModelConfig, Encodable, Equatable {
    /// In Hz.
    package let samplingRate: Int
    let filterLength: Int
    /// Samples from one frame to the next.
    package let hopLength: Int
    /// Bands.
    package let nMelChannels: Int
    let melFmin: Double
    let melFmax: Double

    enum CodingKeys: String, CodingKey {
        case samplingRate = "sampling_rate"
        case filterLength = "filter_length"
        case hopLength = "hop_length"
        case nMelChannels = "n_mel_channels"
        case melFmin = "mel_fmin"
        case melFmax = "mel_fmax"
    }

    /// The spectrogram whose frames and bands a vocoder reads, as the authors trained those of 16 and of 48 kHz.
    package init(for vocoder: HiFiGANConfig) {
        let isWide = vocoder.samplingRate > 24000
        samplingRate = vocoder.samplingRate
        filterLength = isWide ? 2048 : 1024
        hopLength = vocoder.hopLength
        nMelChannels = vocoder.modelInDim
        melFmin = isWide ? 20 : 0
        melFmax = Double(vocoder.samplingRate) / 2
    }

    /// Where its frames and bands are.
    var geometry: LogMelSpectrogram.Geometry {
        .init(
            sampleRate: samplingRate, fftLength: filterLength, hop: hopLength, bands: nMelChannels,
            frequencies: melFmin...melFmax)
    }

    /// Where its bands are.
    var bands: MelBands { MelBands(count: nMelChannels, frequencies: melFmin...melFmax) }

    package func validate(component: String) throws {
        let check = ConfigCheck(component: component)
        try check.require("sampling_rate", samplingRate, in: 1000...768_000)
        try check.require("filter_length", filterLength, isOneOf: (6...16).map { 1 << $0 })
        try check.require("hop_length", hopLength, in: 1...65536)
        try check.require("n_mel_channels", nMelChannels, in: 1...4096)
        try check.require("mel_fmin, mel_fmax", from: melFmin, to: melFmax, atSamplingRate: samplingRate)
    }
}

/// Sound to the log-mel spectrogram that the VAE encodes.
///
/// `TacotronSTFT` of the authors' repository: magnitudes, natural logarithm, floor 1e-5.
package struct MelFrontEnd: Sendable {
    private let spectrogram: LogMelSpectrogram

    package init(_ config: MelConfig) {
        spectrogram = LogMelSpectrogram(config.geometry, scale: .logMagnitude(floor: 1e-5))
    }

    /// In Hz, of the samples.
    package var sampleRate: Int { spectrogram.geometry.sampleRate }

    /// - Parameters:
    ///   - samples: at least one; in −1…1, which is not checked.
    ///   - frames: how many are wanted; if there are fewer, silence follows. Nil for those that the sound has, one more
    ///     than whole hops, its end mirrored.
    /// - Returns: `[1, frames, bands, 1]`.
    package func callAsFunction(_ samples: [Float], frames: Int? = nil, on backend: any Backend) throws -> Tensor {
        let (hop, bands) = (spectrogram.geometry.hop, spectrogram.geometry.bands)
        let missing = max(0, (frames ?? 0) * hop - samples.count)
        let frames = frames ?? spectrogram.frameCount(samples: samples.count)
        let values = spectrogram(missing > 0 ? samples + Array(repeating: 0, count: missing) : samples)
        return try backend.upload(Array(values.prefix(frames * bands)), [1, frames, bands, 1])
    }
}
