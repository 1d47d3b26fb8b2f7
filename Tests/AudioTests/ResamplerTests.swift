import Audio
import Foundation
import TestSupport
import Testing

@Suite struct ResamplerTests {
    /// Ten pairs of rates, whole, fractional and without a useful common factor.
    @Test(arguments: [
        (8000, 16000), (11025, 16000), (22050, 48000), (16000, 48000), (44100, 16000), (44100, 48000),
        (48000, 16000), (96000, 16000), (192_000, 48000), (47999, 16000),
    ])
    func agreesWithTheFourierSeries(from: Int, to: Int) throws {
        let reference = try AudioReference()
        let input = try reference.values("resample.\(from).\(to).in")
        let expected = try reference.values("resample.\(from).\(to).out")
        let result = Resampler.resample(input, from: from, to: to)
        #expect(result.count == (input.count * to + from - 1) / from)
        // The series goes on at both ends; we take silence to lie beyond.
        let inner = expected.count / 4..<expected.count * 3 / 4
        #expect(signalToNoise(Array(result[inner]), Array(expected[inner])) > 110)
    }

    @Test(arguments: [(44100, 16000), (16000, 48000), (192_000, 16000), (95999, 16000), (655_350, 16000)])
    func tonesComeOutAsTheyAreAndAliasesDoNot(from: Int, to: Int) {
        func tone(_ frequency: Double, _ rate: Int) -> [Float] {
            (0..<rate / 2).map { Float(0.5 * sin(2 * Double.pi * frequency * Double($0) / Double(rate))) }
        }
        let nyquist = Double(min(from, to)) / 2
        for share in [0.01, 0.3, 0.7, 0.9] {
            let result = Resampler.resample(tone(share * nyquist, from), from: from, to: to)
            let inner = result.count / 4..<result.count * 3 / 4
            #expect(signalToNoise(Array(result[inner]), Array(tone(share * nyquist, to)[inner])) > 100, "\(share)")
        }
        guard to < from else { return }
        let alias = Resampler.resample(tone(1.05 * nyquist, from), from: from, to: to)
        let power = alias[alias.count / 4..<alias.count * 3 / 4].reduce(0.0) { $0 + Double($1 * $1) }
        #expect(10 * log10(power / Double(alias.count / 2) / 0.125) < -110)
    }

    @Test func blocksOfAnySizeMakeTheSameResult() {
        let input = (0..<20000).map { Float(sin(Double($0 * $0) * 1e-5)) }
        for (from, to) in [(44100, 16000), (16000, 44100), (16000, 16000), (655_350, 16000)] {
            let whole = Resampler.resample(input, from: from, to: to)
            var resampler = Resampler(from: from, to: to)
            var parts: [Float] = []
            var start = 0
            for size in [1, 7, 4096, 100, 0, 9000, 20000] {
                let end = min(start + size, input.count)
                parts += resampler.process(Array(input[start..<end]))
                start = end
            }
            parts += resampler.finish()
            #expect(parts == whole)
        }
    }

    @Test func constantsStayAndSingleSamplesMakeSound() {
        let result = Resampler.resample([Float](repeating: 0.25, count: 8000), from: 11025, to: 48000)
        #expect(result[10000..<20000].allSatisfy { abs($0 - 0.25) < 1e-6 })
        #expect(Resampler.resample([1], from: 192_000, to: 8000).count == 1)
        #expect(Resampler.resample([], from: 44100, to: 16000).isEmpty)
    }
}

/// In dB.
func signalToNoise(_ signal: [Float], _ reference: [Float]) -> Double {
    let power = reference.reduce(0.0) { $0 + Double($1) * Double($1) }
    let noise = zip(signal, reference).reduce(0.0) {
        $0 + (Double($1.0) - Double($1.1)) * (Double($1.0) - Double($1.1))
    }
    return 10 * log10(power / max(noise, 1e-300))
}
