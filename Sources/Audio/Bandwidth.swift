import Glibc

/// How far up a sound's frequencies reach.
package enum Bandwidth {
    /// What lies above the bandwidth holds less than this share of the power.
    private static let share = 2.5e-7

    /// - Parameters:
    ///   - samples: mono.
    ///   - sampleRate: in Hz.
    /// - Returns: in Hz; 0 for silence.
    package static func estimate(_ samples: [Float], sampleRate: Int) -> Double {
        let length = 2048
        let transform = RealFourierTransform(length: length)
        var workspace = transform.makeWorkspace()
        var powers = [Double](repeating: 0, count: length / 2 + 1)
        var sums = powers
        var frame = [Double](repeating: 0, count: length)
        for start in stride(from: 0, to: max(samples.count - length + 1, 1), by: length / 2) {
            for offset in 0..<length {
                let angle = 2 * Double.pi * (Double(offset) + 0.5) / Double(length)
                // Blackman-Harris: what leaks into bins far away stays below −90 dB.
                let window = 0.35875 - 0.48829 * cos(angle) + 0.14128 * cos(2 * angle) - 0.01168 * cos(3 * angle)
                frame[offset] = start + offset < samples.count ? window * Double(samples[start + offset]) : 0
            }
            transform.powers(of: frame, into: &powers, &workspace)
            for bin in sums.indices { sums[bin] += powers[bin] }
        }
        let limit = share * sums.reduce(0, +)
        var above = 0.0
        for bin in sums.indices.reversed() {
            above += sums[bin]
            if above > limit { return Double(bin) * Double(sampleRate) / Double(length) }
        }
        return 0
    }
}
