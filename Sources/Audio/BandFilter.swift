import Glibc

/// Keeps a band of frequencies, without delay: a linear-phase filter, a sinc under a Kaiser window of 80 dB.
package struct BandFilter: Sendable {
    private static let attenuation = 80.0
    /// Around each edge, in Hz.
    private static let transition = 150.0

    /// Symmetric, an odd number.
    private let taps: [Float]

    /// - Parameters:
    ///   - band: in Hz; edges at 0 and beyond half the sample rate are none.
    ///   - sampleRate: in Hz.
    package init(_ band: ClosedRange<Double>, sampleRate: Int) {
        let rate = Double(sampleRate)
        let width = 2 * Double.pi * min(Self.transition / rate, 0.1)
        let half = Int(((Self.attenuation - 8) / (2.285 * width) / 2).rounded(.up))
        let beta = 0.1102 * (Self.attenuation - 8.7)
        // Cycles per sample.
        let (low, high) = (min(band.lowerBound / rate, 0.5), min(band.upperBound / rate, 0.5))
        taps = (-half...half).map { offset in
            let place = Double(offset) / Double(half + 1)
            let window = bessel(beta * (1 - place * place).squareRoot()) / bessel(beta)
            return Float((Self.sinc(high, offset) - Self.sinc(low, offset)) * window)
        }
    }

    /// The ideal low-pass filter with its edge at `edge` cycles per sample.
    private static func sinc(_ edge: Double, _ offset: Int) -> Double {
        if edge >= 0.5 { return offset == 0 ? 1 : 0 }
        return offset == 0 ? 2 * edge : sin(2 * Double.pi * edge * Double(offset)) / (Double.pi * Double(offset))
    }

    /// - Returns: as many samples as are given, which silence surrounds.
    package func callAsFunction(_ samples: [Float]) -> [Float] {
        let half = taps.count / 2
        let padded = [Float](repeating: 0, count: half) + samples + [Float](repeating: 0, count: half + 8)
        let weights = taps + [Float](repeating: 0, count: (8 - taps.count % 8) % 8)
        return padded.withUnsafeBytes { padded in
            weights.withUnsafeBytes { weights in
                samples.indices.map { start in
                    var sums = SIMD8<Float>.zero
                    for offset in stride(from: 0, to: weights.count, by: 32) {
                        sums +=
                            padded.loadUnaligned(fromByteOffset: 4 * start + offset, as: SIMD8<Float>.self)
                            * weights.loadUnaligned(fromByteOffset: offset, as: SIMD8<Float>.self)
                    }
                    return sums.sum()
                }
            }
        }
    }
}
