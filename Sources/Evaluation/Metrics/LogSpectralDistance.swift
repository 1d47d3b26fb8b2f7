import Audio
import Glibc

/// Log-spectral distance of a pair of sounds, as ssr_eval (audioldm_eval's) computes it: over frames, the mean of
/// √ mean over bins of log₁₀(t² / (e + 10⁻¹²)² + 10⁻¹²)², of magnitudes t of the target and e of the estimate.
public struct LogSpectralDistance: Sendable {
    private let length: Int
    private let hop: Int
    private let transform: AnyLengthTransform
    /// Periodic Hann.
    private let window: [Double]

    private static let epsilon = 1e-12

    /// - Parameter sampleRate: of both, in Hz; 100 or more.
    public init(sampleRate: Int) {
        length = max(Int(2048 / (44100 / Double(sampleRate))), 2)
        hop = max(sampleRate / 100, 1)
        transform = AnyLengthTransform(length: length)
        let count = Double(length)
        window = (0..<length).map { 0.5 - 0.5 * cos(2 * Double.pi * Double($0) / count) }
    }

    /// Of as many samples as both have.
    /// - Throws: `EvaluationError.tooFew` for none.
    public func callAsFunction(estimate: [Float], target: [Float]) throws -> Double {
        let count = min(estimate.count, target.count)
        guard count > 0 else { throw EvaluationError.tooFew("log-spectral distance takes a sample or more") }
        // Of an odd length, the padding on both sides is one sample less than a frame.
        let frames = (count - length % 2) / hop + 1
        var sum = 0.0
        for frame in 0..<frames {
            let wanted = magnitudes(target, count: count, frame)
            let found = magnitudes(estimate, count: count, frame)
            let squares = zip(wanted, found).reduce(0.0) { sum, pair in
                let ratio = pair.0 / (pair.1 + Self.epsilon)
                let logarithm = log10(ratio * ratio + Self.epsilon)
                return sum + logarithm * logarithm
            }
            sum += (squares / Double(wanted.count)).squareRoot()
        }
        return sum / Double(frames)
    }

    /// Of a frame centred on a multiple of the hop; beyond the ends there is silence, as in librosa.
    private func magnitudes(_ samples: [Float], count: Int, _ frame: Int) -> [Double] {
        let start = frame * hop - length / 2
        return transform.magnitudes(
            (0..<length).map { offset in
                let place = start + offset
                return place >= 0 && place < count ? window[offset] * Double(samples[place]) : 0
            })
    }
}

/// The magnitudes of the discrete Fourier transform of real frames of any length, by Bluestein's convolution (1970).
struct AnyLengthTransform: Sendable {
    let length: Int
    private let size: Int
    /// exp(−πi k² / length)
    private let chirp: [SIMD2<Double>]
    /// Of the conjugate chirp, repeated around zero.
    private let spectrum: [SIMD2<Double>]
    /// exp(−2πi k / size)
    private let turns: [SIMD2<Double>]

    init(length: Int) {
        self.length = length
        var size = 1
        while size < 2 * length { size *= 2 }
        self.size = size
        turns = (0..<size / 2).map { index in
            let angle = -2 * Double.pi * Double(index) / Double(size)
            return SIMD2(cos(angle), sin(angle))
        }
        chirp = (0..<length).map { index in
            let angle = -Double.pi * Double(index * index % (2 * length)) / Double(length)
            return SIMD2(cos(angle), sin(angle))
        }
        var conjugate = [SIMD2<Double>](repeating: .zero, count: size)
        for (index, value) in chirp.enumerated() {
            conjugate[index] = SIMD2(value.x, -value.y)
            conjugate[(size - index) % size] = conjugate[index]
        }
        Self.transform(&conjugate, turns)
        spectrum = conjugate
    }

    /// - Parameter frame: `length` numbers.
    /// - Returns: `length / 2 + 1` of them.
    func magnitudes(_ frame: [Double]) -> [Double] {
        var buffer = [SIMD2<Double>](repeating: .zero, count: size)
        for index in 0..<length { buffer[index] = frame[index] * chirp[index] }
        Self.transform(&buffer, turns)
        // The inverse is the transform of the conjugate.
        for index in 0..<size {
            let (a, b) = (buffer[index], spectrum[index])
            buffer[index] = SIMD2(a.x * b.x - a.y * b.y, -(a.x * b.y + a.y * b.x))
        }
        Self.transform(&buffer, turns)
        // Multiplying by the chirp turns a number and does not lengthen it.
        return (0...length / 2).map { (buffer[$0] * buffer[$0]).sum().squareRoot() / Double(size) }
    }

    /// In place, of a power of two.
    private static func transform(_ values: inout [SIMD2<Double>], _ turns: [SIMD2<Double>]) {
        let count = values.count
        let bits = count.trailingZeroBitCount
        values.withUnsafeMutableBufferPointer { values in
            for index in 0..<count {
                var reversed = 0
                for bit in 0..<bits { reversed |= (index >> bit & 1) << (bits - 1 - bit) }
                if reversed > index { values.swapAt(index, reversed) }
            }
            var span = 1
            while span < count {
                let step = count / (2 * span)
                for start in stride(from: 0, to: count, by: 2 * span) {
                    for offset in 0..<span {
                        let (turn, high) = (turns[offset * step], values[start + offset + span])
                        let product = SIMD2(turn.x * high.x - turn.y * high.y, turn.x * high.y + turn.y * high.x)
                        let low = values[start + offset]
                        (values[start + offset], values[start + offset + span]) = (low + product, low - product)
                    }
                }
                span *= 2
            }
        }
    }
}
