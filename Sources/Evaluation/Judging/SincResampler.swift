import Audio
import Glibc

/// The resamplers of the evaluation packages, whose results depend on them: a windowed sinc cut after a few zero crossings.
public struct SincResampler: Sendable {
    /// Whose window and how many zero crossings.
    public enum Kind: String, Sendable, Codable {
        /// `torchaudio.functional.resample` with its defaults: Hann, six zero crossings, in float32.
        case torchaudioHann = "torchaudio"
        /// `torchaudio.transforms.Resample` as fadtk and kadtk call it: Kaiser's window, 64 zero crossings.
        case torchaudioKaiser = "torchaudio (Kaiser, 64)"
        /// `julius.resample_frac` with its defaults: 24 zero crossings, weights that sum to 1, the ends held.
        case julius

        var zeroCrossings: Double {
            switch self {
            case .torchaudioHann: 6
            case .torchaudioKaiser: 64
            case .julius: 24
            }
        }

        /// Of the lower Nyquist frequency.
        var rolloff: Double {
            switch self {
            case .torchaudioHann: 0.99
            case .torchaudioKaiser: 0.9475937167399596
            case .julius: 0.945
            }
        }
    }

    private let kind: Kind
    /// Rates without their common factor.
    private let from: Int
    private let to: Int
    /// Input samples before the frame of an output.
    private let width: Int
    /// For each of `to` outputs of a frame: its first tap that is not zero, counted from `width` samples before the frame.
    private let phases: [(first: Int, taps: [Float])]

    private static let beta = Double(Float(14.769656459379492))

    /// - Parameters: rates in Hz, 1 or more.
    public init(from: Int, to: Int, _ kind: Kind) {
        var (a, b) = (from, to)
        while b != 0 { (a, b) = (b, a % b) }
        (self.kind, self.from, self.to) = (kind, from / a, to / a)
        let base = Double(min(self.from, self.to)) * kind.rolloff
        width = Int((kind.zeroCrossings * Double(self.from) / base).rounded(.up))
        let (input, output, width) = (self.from, self.to, self.width)
        phases = (0..<(input == output ? 0 : output)).map { phase in
            let row = (-width..<width + input).map { index in
                kind == .torchaudioKaiser
                    ? Self.kaiserTap(phase, index, input, output, base)
                    : Self.hannTap(phase, index, input, output, Float(base), Float(kind.zeroCrossings))
            }
            let first = row.firstIndex { $0 != 0 } ?? 0
            let last = row.lastIndex { $0 != 0 } ?? 0
            let scale = kind == .torchaudioHann ? base / Double(input) : 1
            let sum = kind == .julius ? row.reduce(0, +) : 1
            return (first, row[first...last].map { Float($0 * scale / sum) })
        }
    }

    /// In float32 throughout, as PyTorch computes it for samples of that type.
    private static func hannTap(
        _ phase: Int, _ index: Int, _ from: Int, _ to: Int, _ base: Float, _ crossings: Float
    ) -> Double {
        let time = (-Float(phase) / Float(to) + Float(index) / Float(from)) * base
        guard abs(time) < crossings else { return 0 }
        let angle = time * Float.pi
        let cosine = cos(angle / crossings / 2)
        return Double((angle == 0 ? 1 : sin(angle) / angle) * (cosine * cosine))
    }

    private static func kaiserTap(_ phase: Int, _ index: Int, _ from: Int, _ to: Int, _ base: Double) -> Double {
        let crossings = Kind.torchaudioKaiser.zeroCrossings
        // PyTorch divides whole numbers in float32.
        let time = (Double(-Float(phase) / Float(to)) + Double(index) / Double(from)) * base
        guard abs(time) < crossings else { return 0 }
        let angle = Double.pi * time
        let ratio = time / crossings
        let window = bessel(beta * (1 - ratio * ratio).squareRoot()) / bessel(beta)
        return (angle == 0 ? 1 : sin(angle) / angle) * window * base / Double(from)
    }

    /// - Returns: `⌈samples · to / from⌉` samples, of julius as many as are whole.
    public func callAsFunction(_ samples: [Float]) -> [Float] {
        guard from != to, let first = samples.first, let last = samples.last else { return samples }
        let rounding = kind == .julius ? 0 : from - 1
        let count = (samples.count * to + rounding) / from
        let (before, after) = kind == .julius ? (first, last) : (0, 0)
        let padded =
            [Float](repeating: before, count: width) + samples + [Float](repeating: after, count: width + from)
        return padded.withUnsafeBufferPointer { padded in
            (0..<count).map { output in
                let (frame, phase) = output.quotientAndRemainder(dividingBy: to)
                let (first, taps) = phases[phase]
                let start = frame * from + first
                var sum: Float = 0
                for (offset, tap) in taps.enumerated() { sum += tap * padded[start + offset] }
                return sum
            }
        }
    }
}
