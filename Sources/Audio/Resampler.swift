import Glibc

/// Changes the sample rate of a mono signal that comes block by block.
///
/// Bandlimited interpolation (Smith & Gossett 1984) as a polyphase filter: a sinc of 96 zero crossings on either side
/// under a Kaiser window of 120 dB. What lies below 0.918 of the lower Nyquist frequency passes unchanged; what would
/// alias is 120 dB down. The result begins where the signal does, and has `⌈samples · to / from⌉` samples.
package struct Resampler {
    private static let zeroCrossings = 96.0
    private static let attenuation = 120.0
    /// More phases than this, or than its share where the filter is as much wider, are interpolated from it linearly, at an
    /// error below −120 dB. So the table has as many taps for any pair of rates.
    private static let maximumPhases = 1024.0

    /// Output and input rate without their common factor.
    private let up: Int
    private let down: Int
    /// Input samples on either side of an output sample that have a part in it; a multiple of 4.
    private let reach: Int
    private let phaseCount: Int
    /// `phaseCount + 1` rows of `2 · reach` taps: row `p` for an output that lies `p / phaseCount` of a sample behind
    /// its input sample.
    private let taps: [Float]
    /// The input from sample `firstIndex` on, as far as it is still needed.
    private var history: [Float]
    private var firstIndex: Int
    private var inputCount = 0
    private var outputCount = 0

    /// - Parameters: rates in Hz, 1 or more.
    package init(from: Int, to: Int) {
        let divisor = Self.greatestCommonDivisor(from, to)
        (up, down) = (to / divisor, from / divisor)
        let bandwidth = min(1, Double(to) / Double(from))
        reach = up == down ? 0 : (Int((Self.zeroCrossings / bandwidth).rounded(.up)) + 3) / 4 * 4
        phaseCount = min(up, Int((Self.maximumPhases * bandwidth).rounded(.up)))
        taps = reach == 0 ? [] : Self.taps(phases: phaseCount, reach: reach, bandwidth: bandwidth)
        history = [Float](repeating: 0, count: max(reach - 1, 0))
        firstIndex = -history.count
    }

    /// A whole signal at once.
    package static func resample(_ samples: [Float], from: Int, to: Int) -> [Float] {
        var resampler = Resampler(from: from, to: to)
        return resampler.process(samples) + resampler.finish()
    }

    /// Takes in more of the signal.
    /// - Returns: what can be said of the result so far and was not returned before.
    package mutating func process(_ block: [Float]) -> [Float] {
        inputCount += block.count
        if reach == 0 { return block }
        history += block
        return produce(while: { _ in true })
    }

    /// - Returns: the rest of the result. Nothing can be processed afterwards.
    package mutating func finish() -> [Float] {
        if reach == 0 { return [] }
        history += [Float](repeating: 0, count: reach + 1)
        let total = (inputCount * up + down - 1) / down
        return produce(while: { $0 < total })
    }

    private mutating func produce(while isWanted: (_ output: Int) -> Bool) -> [Float] {
        var result: [Float] = []
        result.reserveCapacity(history.count * up / down + 1)
        let end = firstIndex + history.count
        while isWanted(outputCount), outputCount * down / up + reach < end {
            result.append(sample(outputCount))
            outputCount += 1
        }
        let firstNeeded = min(outputCount * down / up - reach + 1, end)
        if firstNeeded > firstIndex {
            history.removeFirst(firstNeeded - firstIndex)
            firstIndex = firstNeeded
        }
        return result
    }

    /// One sample of the result.
    private func sample(_ index: Int) -> Float {
        let (place, remainder) = (index * down).quotientAndRemainder(dividingBy: up)
        let start = place - reach + 1 - firstIndex
        if phaseCount == up { return product(start, phase: remainder) }
        let (phase, rest) = (remainder * phaseCount).quotientAndRemainder(dividingBy: up)
        let weight = Float(rest) / Float(up)
        return (1 - weight) * product(start, phase: phase) + weight * product(start, phase: phase + 1)
    }

    private func product(_ start: Int, phase: Int) -> Float {
        let count = 2 * reach
        return history.withUnsafeBytes { history in
            taps.withUnsafeBytes { taps in
                var sums = SIMD8<Float>.zero
                for offset in stride(from: 0, to: count, by: 8) {
                    let x = history.loadUnaligned(fromByteOffset: 4 * (start + offset), as: SIMD8<Float>.self)
                    sums += x * taps.loadUnaligned(fromByteOffset: 4 * (phase * count + offset), as: SIMD8<Float>.self)
                }
                return sums.sum()
            }
        }
    }

    private static func taps(phases: Int, reach: Int, bandwidth: Double) -> [Float] {
        let beta = 0.1102 * (attenuation - 8.7)
        // Half of the transition band, so that it ends at the Nyquist frequency.
        let transition = (attenuation - 7.95) / (2.285 * 4 * zeroCrossings * Double.pi)
        let cutoff = bandwidth * (1 - transition)
        let width = zeroCrossings / bandwidth
        var taps: [Float] = []
        taps.reserveCapacity((phases + 1) * 2 * reach)
        for phase in 0...phases {
            let row = (0..<2 * reach).map { tap -> Double in
                let distance = Double(tap - reach + 1) - Double(phase) / Double(phases)
                guard abs(distance) < width else { return 0 }
                let ratio = distance / width
                let angle = Double.pi * cutoff * distance
                return (angle == 0 ? 1 : sin(angle) / angle) * bessel(beta * (1 - ratio * ratio).squareRoot())
            }
            let sum = row.reduce(0, +)
            taps += row.map { Float($0 / sum) }
        }
        return taps
    }

    private static func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
        b == 0 ? a : greatestCommonDivisor(b, a % b)
    }
}
