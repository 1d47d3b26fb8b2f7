import Glibc

/// Log-mel features as Kaldi computes them: frames of 25 ms every 10 ms, without any that reach past the end.
///
/// torchaudio `compliance.kaldi.fbank` with `window_type="hanning", dither=0` and its other defaults.
package struct KaldiFilterBank: Sendable {
    private static let preemphasis = 0.97
    private static let lowestFrequency = 20.0
    /// Float's epsilon, which the logarithm's argument does not fall below.
    private static let floor = 1.1920928955078125e-07

    private let sampleRate: Int
    private let window: [Double]
    private let hop: Int
    private let transform: RealFourierTransform
    private let filters: MelFilterBank

    package init(sampleRate: Int, bands: Int) {
        self.sampleRate = sampleRate
        let length = sampleRate / 40
        hop = sampleRate / 100
        window = (0..<length).map { 0.5 - 0.5 * cos(2 * Double.pi * Double($0) / Double(length - 1)) }
        var padded = 2
        while padded < length { padded *= 2 }
        transform = RealFourierTransform(length: padded)
        filters = MelFilterBank(
            kaldi: bands, frequencies: Self.lowestFrequency...Double(sampleRate) / 2, fftLength: padded,
            sampleRate: sampleRate)
    }

    /// What `frames` frames cover.
    package func seconds(frames: Int) -> Double { Double((frames - 1) * hop + window.count) / Double(sampleRate) }

    /// - Returns: `[frames, bands]`; no frames if there are fewer samples than a window has.
    package func callAsFunction(_ samples: [Float], maximumFrames: Int) -> [Float] {
        let count = samples.count < window.count ? 0 : (samples.count - window.count) / hop + 1
        var frame = [Double](repeating: 0, count: transform.length)
        var spectrum = [Double](repeating: 0, count: transform.length / 2 + 1)
        var sums = [Double](repeating: 0, count: filters.bandCount)
        var workspace = transform.makeWorkspace()
        var result: [Float] = []
        for index in 0..<min(count, maximumFrames) {
            let slice = samples[index * hop..<index * hop + window.count]
            let mean = slice.reduce(0.0) { $0 + Double($1) } / Double(window.count)
            var previous = Double(slice[slice.startIndex]) - mean
            for (offset, sample) in slice.enumerated() {
                let centred = Double(sample) - mean
                frame[offset] = (centred - Self.preemphasis * previous) * window[offset]
                previous = centred
            }
            transform.powers(of: frame, into: &spectrum, &workspace)
            filters.apply(to: spectrum, into: &sums)
            for sum in sums { result.append(Float(log(max(sum, Self.floor)))) }
        }
        return result
    }
}
