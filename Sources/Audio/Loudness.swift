import Glibc

/// How loud a sound is: integrated loudness of ITU-R BS.1770-4 (EBU R 128), in LUFS.
package enum Loudness {
    /// Blocks below are not heard at all, in LUFS.
    private static let absoluteGate = -70.0
    /// Blocks so far below the mean of the others are pauses, in LU.
    private static let relativeGate = -10.0
    private static let blockSeconds = 0.4
    /// From one block to the next.
    private static let hopSeconds = 0.1
    /// Below, the filter's shelf lies too near half the rate, and the sound is measured at another, in Hz.
    private static let leastRate = 8000

    /// - Parameter sound: of at least one frame. Of five channels and more, the last two are surrounds, and of six the fourth
    ///   is the subwoofer's.
    /// - Returns: nil for silence. A sound of less than 0.4 s is measured as one block.
    package static func integrated(_ sound: Sound) -> Double? {
        let channels = (0..<sound.channels).map { channel in
            let samples = stride(from: channel, to: sound.samples.count, by: sound.channels).map { sound.samples[$0] }
            return sound.sampleRate >= leastRate
                ? samples : Resampler.resample(samples, from: sound.sampleRate, to: 48000)
        }
        let rate = sound.sampleRate >= leastRate ? sound.sampleRate : 48000
        let powers = blockPowers(channels, sampleRate: rate)
        let loud = powers.filter { level($0) > absoluteGate }
        guard !loud.isEmpty else { return nil }
        let gate = level(mean(loud)) + relativeGate
        return level(mean(loud.filter { level($0) > gate }))
    }

    /// The factor that brings a sound to a loudness; 1 for silence.
    package static func gain(of sound: Sound, to target: Double) -> Float {
        integrated(sound).map { Float(pow(10, (target - $0) / 20)) } ?? 1
    }

    private static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

    private static func level(_ power: Double) -> Double { -0.691 + 10 * log10(power) }

    /// Mean squares of K-weighted blocks, summed over channels by their weights.
    private static func blockPowers(_ channels: [[Float]], sampleRate: Int) -> [Double] {
        let frames = channels.first?.count ?? 0
        // Of tenths of a second, of which a block has four.
        let hop = max(Int((hopSeconds * Double(sampleRate)).rounded()), 1)
        let parts = Int((blockSeconds / hopSeconds).rounded())
        var sums = [Double](repeating: 0, count: max((frames + hop - 1) / hop, 1))
        for (index, samples) in channels.enumerated() {
            let weight = weight(channel: index, of: channels.count)
            guard weight > 0 else { continue }
            var filter = KWeighting(sampleRate: sampleRate)
            for (place, sample) in samples.enumerated() {
                let heard = filter(Double(sample))
                sums[place / hop] += weight * heard * heard
            }
        }
        guard frames >= parts * hop else { return [sums.reduce(0, +) / Double(max(frames, 1))] }
        return (0...frames / hop - parts).map { sums[$0..<$0 + parts].reduce(0, +) / Double(parts * hop) }
    }

    private static func weight(channel: Int, of count: Int) -> Double {
        switch count {
        case 5: channel > 2 ? 1.41 : 1
        case 6: channel == 3 ? 0 : channel > 3 ? 1.41 : 1
        default: 1
        }
    }
}

/// BS.1770's two filters: a shelf for the head's effect, and a high-pass. The standard has coefficients for 48 kHz; these are of
/// the same analogue filters at any rate.
struct KWeighting {
    private var shelf: Biquad
    private var highPass: Biquad

    init(sampleRate: Int) {
        let rate = Double(sampleRate)
        let gain = pow(10, 3.999843853973347 / 20)
        let middle = pow(gain, 0.4996667741545416)
        let k = tan(Double.pi * 1681.974450955533 / rate)
        let q = 0.7071752369554196
        let scale = 1 + k / q + k * k
        shelf = Biquad(
            b: (
                (gain + middle * k / q + k * k) / scale, 2 * (k * k - gain) / scale,
                (gain - middle * k / q + k * k) / scale
            ),
            a: (2 * (k * k - 1) / scale, (1 - k / q + k * k) / scale))
        let low = tan(Double.pi * 38.13547087602444 / rate)
        let lowQ = 0.5003270373238773
        let lowScale = 1 + low / lowQ + low * low
        highPass = Biquad(
            b: (1, -2, 1),
            a: (2 * (low * low - 1) / lowScale, (1 - low / lowQ + low * low) / lowScale))
    }

    mutating func callAsFunction(_ sample: Double) -> Double { highPass(shelf(sample)) }
}

/// A filter of two poles and two zeros, in transposed direct form II.
struct Biquad {
    let b: (Double, Double, Double)
    /// Without the leading 1.
    let a: (Double, Double)
    private var state = (0.0, 0.0)

    init(b: (Double, Double, Double), a: (Double, Double)) { (self.b, self.a) = (b, a) }

    mutating func callAsFunction(_ x: Double) -> Double {
        let y = b.0 * x + state.0
        state.0 = b.1 * x - a.0 * y + state.1
        state.1 = b.2 * x - a.1 * y
        return y
    }
}
