/// How several channels become one: their mean, or, where they cancel each other in it, the loudest of them.
package struct MonoMix: Sendable, Equatable {
    package let channels: Int
    /// From 0; nil for the mean.
    package let chosen: Int?

    /// The power of the mean below which channels count as cancelling, as a share of what it would be if they had nothing to
    /// do with each other.
    private static let cancelled = 0.05

    /// Sums of squares, of the mean and of each channel.
    struct Powers {
        private var mean = 0.0
        private var channels: [Double]

        init(channels: Int) { self.channels = Array(repeating: 0, count: channels) }

        /// - Parameter samples: whole frames, interleaved.
        mutating func add(_ samples: ArraySlice<Float>) {
            let count = channels.count
            for first in stride(from: samples.startIndex, to: samples.endIndex, by: count) {
                var sum = 0.0
                for channel in 0..<count {
                    let sample = Double(samples[first + channel])
                    sum += sample
                    channels[channel] += sample * sample
                }
                mean += sum * sum
            }
        }

        var mix: MonoMix {
            let total = channels.reduce(0, +)
            let loudest = channels.indices.max { channels[$0] < channels[$1] }
            return MonoMix(channels: channels.count, chosen: mean < MonoMix.cancelled * total ? loudest : nil)
        }
    }

    private init(channels: Int, chosen: Int?) { (self.channels, self.chosen) = (channels, chosen) }

    /// - Parameter samples: whole frames, interleaved.
    package init(of samples: [Float], channels: Int) {
        var powers = Powers(channels: channels)
        if channels > 1 { powers.add(samples[...]) }
        self = powers.mix
    }

    /// The sample of a frame.
    package func callAsFunction(_ frame: ArraySlice<Float>) -> Float {
        chosen.map { frame[frame.startIndex + $0] } ?? 1 / Float(channels) * frame.reduce(0, +)
    }

    /// What to tell whoever gave the sound; nil for nothing.
    package var note: String? {
        chosen.map { "its channels cancel each other; channel \($0 + 1), the loudest, stands for all of them" }
    }
}
