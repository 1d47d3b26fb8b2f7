import Audio
import FoundationEssentials
import Glibc

/// What can be done to a sound only when all of it is there: silence at its ends is cut, a loop is brought to another rate, and
/// its level is set. Fades follow the cut, and the level what they leave.
package struct Mastering: Sendable {
    package let trims: Bool
    package let normalization: SoundOptions.Normalization?
    package let loops: Bool
    /// In Hz.
    package let rates: (from: Int, to: Int)

    package init(
        trims: Bool = false, normalization: SoundOptions.Normalization? = nil, loops: Bool = false,
        rates: (from: Int, to: Int)
    ) {
        self.trims = trims
        self.normalization = normalization
        self.loops = loops
        self.rates = rates
    }

    /// A sound below this part of its own peak, −60 dB, is silent.
    private static let silence: Float = 1e-3
    /// Silence is found in so many parts of a second.
    private static let parts = 100

    /// - Parameter fades: how many samples of the sound to fade, at `rates.from`.
    /// - Returns: the sound at `rates.to`, and by how many decibels its level had to stay below what was asked for.
    package func callAsFunction(
        _ samples: [Float], fadeIn: Int, fadeOut: Int
    ) -> (samples: [Float], shortfall: Double) {
        var sound = trims && !loops ? trimmed(samples) : samples
        let fade = Fades(total: sound.count, fadeIn: fadeIn, fadeOut: fadeOut)
        for place in sound.indices { sound[place] *= fade(at: place) }
        sound = resampled(sound)
        let (gain, shortfall) = gain(of: sound)
        if gain != 1 { for place in sound.indices { sound[place] *= gain } }
        return (sound, shortfall)
    }

    private func trimmed(_ samples: [Float]) -> [Float] {
        guard let peak = samples.lazy.map(abs).max(), peak > 0 else { return samples }
        let isHeard = { (sample: Float) in abs(sample) > Self.silence * peak }
        guard let first = samples.firstIndex(where: isHeard), let last = samples.lastIndex(where: isHeard) else {
            return samples
        }
        let margin = rates.from / Self.parts
        return Array(samples[max(first - margin, 0)..<min(last + 1 + margin, samples.count)])
    }

    /// Of a loop, with its end before its start and its start behind its end.
    private func resampled(_ samples: [Float]) -> [Float] {
        guard rates.from != rates.to else { return samples }
        guard loops, let count = Self.loopCount(samples.count, rates: rates) else {
            return Resampler.resample(samples, from: rates.from, to: rates.to)
        }
        let around = Resampler.resample(samples + samples + samples, from: rates.from, to: rates.to)
        return Array(around[count..<2 * count])
    }

    /// Samples of a loop at another rate; nil if there is no whole number of them.
    package static func loopCount(_ count: Int, rates: (from: Int, to: Int)) -> Int? {
        let (product, overflow) = count.multipliedReportingOverflow(by: rates.to)
        return overflow || product % rates.from != 0 ? nil : product / rates.from
    }

    /// The factor that sets the level, and by how many decibels it is too small. Loudness is not had at the price of clipping.
    private func gain(of samples: [Float]) -> (gain: Float, shortfall: Double) {
        guard let normalization, let peak = samples.lazy.map(abs).max(), peak > 0 else { return (1, 0) }
        switch normalization {
        case .peak(let level): return (Float(pow(10, level / 20)) / peak, 0)
        case .loudness(let level):
            let wanted = Loudness.gain(of: Sound(samples: samples, sampleRate: rates.to), to: level)
            let gain = min(wanted, SoundFinish.ceiling / peak)
            return (gain, max(20 * log10(Double(wanted / gain)), 0))
        }
    }
}
