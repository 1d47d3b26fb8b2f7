import Glibc

/// Log-mel spectrograms of mono sounds under Hann windows.
package struct LogMelSpectrogram: Sendable {
    /// What becomes of a band.
    package enum Scale: Sendable, Hashable {
        /// `ln(max(Σ weight · |X|, floor))`: TacotronSTFT of the AudioLDM authors.
        case logMagnitude(floor: Double)
        /// `10 log₁₀(max(Σ weight · |X|², floor))`: librosa's `power_to_db`.
        case decibels(floor: Double)
        /// `ln(Σ weight · |X| + offset)`: VGGish.
        case offsetLogMagnitude(Double)
        /// `ln(Σ weight · |X|² + offset)`: PaSST.
        case offsetLogPower(Double)
        /// `log₁₀(factor · Σ weight · |X|² + 1)`: MusicNN.
        case log10Power(times: Double)
    }

    /// How a sound is cut into frames.
    package struct Framing: Sendable, Hashable {
        /// Samples under the window, no more than the transform's.
        package let windowLength: Int
        /// Whether the window's last sample is its first one, not the one before that.
        package let isSymmetric: Bool
        /// Whether frames are centred on multiples of the hop, the sound mirrored at its ends; else the first begins with the
        /// sound, and none reaches past its end.
        package let isCentred: Bool

        package init(windowLength: Int, isSymmetric: Bool = false, isCentred: Bool = true) {
            (self.windowLength, self.isSymmetric, self.isCentred) = (windowLength, isSymmetric, isCentred)
        }
    }

    package struct Geometry: Sendable, Hashable {
        /// In Hz.
        package let sampleRate: Int
        /// Samples of a frame; a power of two.
        package let fftLength: Int
        /// Samples from one frame to the next.
        package let hop: Int
        package let bands: Int
        /// In Hz.
        package let frequencies: ClosedRange<Double>

        package init(sampleRate: Int, fftLength: Int, hop: Int, bands: Int, frequencies: ClosedRange<Double>) {
            self.sampleRate = sampleRate
            self.fftLength = fftLength
            self.hop = hop
            self.bands = bands
            self.frequencies = frequencies
        }
    }

    package let geometry: Geometry
    private let scale: Scale
    private let framing: Framing
    private let window: [Double]
    private let transform: RealFourierTransform
    private let filters: MelFilterBank

    /// - Parameters:
    ///   - framing: windows as long as the transform, centred, unless given.
    ///   - filters: Slaney's unless given.
    package init(_ geometry: Geometry, scale: Scale, framing: Framing? = nil, filters: MelFilterBank? = nil) {
        self.geometry = geometry
        self.scale = scale
        let framing = framing ?? Framing(windowLength: geometry.fftLength)
        self.framing = framing
        let period = Double(framing.windowLength - (framing.isSymmetric ? 1 : 0))
        window = (0..<framing.windowLength).map { 0.5 - 0.5 * cos(2 * Double.pi * Double($0) / period) }
        transform = RealFourierTransform(length: geometry.fftLength)
        self.filters =
            filters
            ?? MelFilterBank(
                slaney: geometry.bands, frequencies: geometry.frequencies, fftLength: geometry.fftLength,
                sampleRate: geometry.sampleRate)
    }

    /// Frames of a sound: if they are centred, one at its start and one more for every whole hop.
    package func frameCount(samples: Int) -> Int {
        guard !framing.isCentred else { return samples / geometry.hop + 1 }
        return samples < window.count ? 0 : (samples - window.count) / geometry.hop + 1
    }

    /// - Parameter samples: at least one.
    /// - Returns: `[frames, bands]`, row by row.
    package func callAsFunction(_ samples: [Float]) -> [Float] {
        let (length, bands) = (geometry.fftLength, geometry.bands)
        var frame = [Double](repeating: 0, count: length)
        var spectrum = [Double](repeating: 0, count: length / 2 + 1)
        var sums = [Double](repeating: 0, count: bands)
        var workspace = transform.makeWorkspace()
        var result: [Float] = []
        result.reserveCapacity(frameCount(samples: samples.count) * bands)
        for index in 0..<frameCount(samples: samples.count) {
            let start = index * geometry.hop - (framing.isCentred ? window.count / 2 : 0)
            for offset in window.indices {
                frame[offset] = window[offset] * Double(samples[Self.mirrored(start + offset, count: samples.count)])
            }
            transform.powers(of: frame, into: &spectrum, &workspace)
            if scale.isOfMagnitudes { for bin in spectrum.indices { spectrum[bin].formSquareRoot() } }
            filters.apply(to: spectrum, into: &sums)
            for sum in sums { result.append(Float(scale(sum))) }
        }
        return result
    }

    /// The sample that stands at `index` if the sound is mirrored at its first and last sample, over and over.
    private static func mirrored(_ index: Int, count: Int) -> Int {
        if index >= 0, index < count { return index }
        let period = max(2 * (count - 1), 1)
        let place = ((index % period) + period) % period
        return min(place, period - place) % count
    }
}

extension LogMelSpectrogram.Scale {
    fileprivate var isOfMagnitudes: Bool {
        switch self {
        case .logMagnitude, .offsetLogMagnitude: true
        case .decibels, .offsetLogPower, .log10Power: false
        }
    }

    fileprivate func callAsFunction(_ sum: Double) -> Double {
        switch self {
        case .logMagnitude(let floor): log(max(sum, floor))
        case .decibels(let floor): 10 * log10(max(sum, floor))
        case .offsetLogMagnitude(let offset), .offsetLogPower(let offset): log(sum + offset)
        case .log10Power(let factor): log10(factor * sum + 1)
        }
    }
}
