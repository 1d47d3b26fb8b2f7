import Glibc

/// The discrete Fourier transform of real frames whose length is a power of two.
///
/// Cooley & Tukey 1965: the frame's even and odd samples as one complex frame of half the length. Double precision, so
/// that quiet bins beside loud ones keep their logarithm.
struct RealFourierTransform: Sendable {
    /// Samples of a frame.
    let length: Int
    /// `exp(−2πi k / length)`, k below `length / 2`.
    private let cosines: [Double]
    private let sines: [Double]
    /// Bit-reversed indices of the complex frame.
    private let order: [Int]

    /// Memory for one transform at a time.
    struct Workspace {
        fileprivate var real: [Double]
        fileprivate var imaginary: [Double]
    }

    /// - Parameter length: a power of two, at least 2.
    init(length: Int) {
        self.length = length
        let half = length / 2
        let angles = (0..<half).map { -2 * Double.pi * Double($0) / Double(length) }
        cosines = angles.map { Glibc.cos($0) }
        sines = angles.map { Glibc.sin($0) }
        let bits = half.trailingZeroBitCount
        order = (0..<half).map { index in
            (0..<bits).reduce(0) { $0 | (index >> $1 & 1) << (bits - 1 - $1) }
        }
    }

    func makeWorkspace() -> Workspace {
        let zeros = [Double](repeating: 0, count: length / 2)
        return Workspace(real: zeros, imaginary: zeros)
    }

    /// Writes `|X(k)|²`, k from 0 through `length / 2`.
    /// - Parameters:
    ///   - frame: `length` samples.
    ///   - powers: room for `length / 2 + 1` numbers.
    func powers(of frame: [Double], into powers: inout [Double], _ workspace: inout Workspace) {
        let half = length / 2
        workspace.real.withUnsafeMutableBufferPointer { real in
            workspace.imaginary.withUnsafeMutableBufferPointer { imaginary in
                for index in 0..<half {
                    real[index] = frame[2 * order[index]]
                    imaginary[index] = frame[2 * order[index] + 1]
                }
                transform(real, imaginary)
                for bin in 0...half {
                    let (a, b) = (bin % half, (half - bin) % half)
                    let even = (real: (real[a] + real[b]) / 2, imaginary: (imaginary[a] - imaginary[b]) / 2)
                    let odd = (real: (imaginary[a] + imaginary[b]) / 2, imaginary: (real[b] - real[a]) / 2)
                    let (cosine, sine) = bin == half ? (-1, 0) : (cosines[bin], sines[bin])
                    let x = even.real + cosine * odd.real - sine * odd.imaginary
                    let y = even.imaginary + cosine * odd.imaginary + sine * odd.real
                    powers[bin] = x * x + y * y
                }
            }
        }
    }

    /// In place, from bit-reversed order.
    private func transform(
        _ real: UnsafeMutableBufferPointer<Double>, _ imaginary: UnsafeMutableBufferPointer<Double>
    ) {
        var span = 1
        while span < real.count {
            let step = length / (2 * span)
            for start in stride(from: 0, to: real.count, by: 2 * span) {
                for offset in 0..<span {
                    let (cosine, sine) = (cosines[offset * step], sines[offset * step])
                    let (low, high) = (start + offset, start + offset + span)
                    let x = cosine * real[high] - sine * imaginary[high]
                    let y = cosine * imaginary[high] + sine * real[high]
                    (real[high], imaginary[high]) = (real[low] - x, imaginary[low] - y)
                    (real[low], imaginary[low]) = (real[low] + x, imaginary[low] + y)
                }
            }
            span *= 2
        }
    }
}
