import Audio
import Glibc

/// How alike the mel spectrograms of two sounds are as pictures, as audioldm_eval computes it with scikit-image: peak signal to
/// noise ratio (PSNR) and structural similarity (SSIM, Wang et al. 2004) in windows of 7 × 7.
public struct PictureSimilarity: Sendable {
    /// Of one pair of sounds.
    public struct Pair: Sendable, Equatable {
        /// In dB; infinite for pictures that are the same.
        public let psnr: Double
        /// −1 to 1; nil for pictures narrower than a window.
        public let ssim: Double?
    }

    private let spectrogram: LogMelSpectrogram

    private static let bands = 64
    private static let window = 7
    /// The constants of the structural similarity, as shares of the pictures' range.
    private static let (steadyingMeans, steadyingVariances) = (0.01, 0.03)

    /// - Parameter sampleRate: in Hz; nil for others than the package's two, 16000 and 32000.
    public init?(sampleRate: Int) {
        guard let highest = [16000: 8000.0, 32000: 14000.0][sampleRate] else { return nil }
        spectrogram = LogMelSpectrogram(
            .init(
                sampleRate: sampleRate, fftLength: sampleRate * 32 / 1000, hop: sampleRate / 100, bands: Self.bands,
                frequencies: 50...highest), scale: .logMagnitude(floor: 1e-5))
    }

    /// - Parameters: mono samples, at least one each; the longer one's end is left out.
    public func callAsFunction(_ first: [Float], _ second: [Float]) -> Pair {
        let pictures = [first, second].map(picture)
        let frames = pictures.map { $0.count / Self.bands }.min() ?? 0
        let (x, y) = (pictures[0].prefix(frames * Self.bands), pictures[1].prefix(frames * Self.bands))
        let square = zip(x, y).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / Double(max(x.count, 1))
        return Pair(
            psnr: square > 0 ? -10 * log10(square) : .infinity,
            ssim: frames < Self.window ? nil : Self.structure(Array(x), Array(y), rows: frames))
    }

    /// `[frames, bands]`, 0 to 1: from −100 dB on.
    private func picture(_ samples: [Float]) -> [Double] {
        spectrogram(samples.map { min(max($0, -1), 1) }).map { value in
            let decibels = 20 * Double(value) / log(10) - 20
            return min(max((decibels + 100) / 100, 0), 1)
        }
    }

    /// The mean over all windows that lie within the pictures.
    private static func structure(_ x: [Double], _ y: [Double], rows: Int) -> Double {
        let range = max(x.max() ?? 0, y.max() ?? 0) - min(x.min() ?? 0, y.min() ?? 0)
        let (c1, c2) = (pow(steadyingMeans * range, 2), pow(steadyingVariances * range, 2))
        let sums = [x, y, zip(x, x).map(*), zip(y, y).map(*), zip(x, y).map(*)].map { windowMeans($0, rows: rows) }
        let count = Double(window * window)
        let total = sums[0].indices.reduce(0.0) { total, place in
            let (mx, my) = (sums[0][place], sums[1][place])
            let share = count / (count - 1)
            let (vx, vy) = (share * (sums[2][place] - mx * mx), share * (sums[3][place] - my * my))
            let covariance = share * (sums[4][place] - mx * my)
            let above = (2 * mx * my + c1) * (2 * covariance + c2)
            let below = (mx * mx + my * my + c1) * (vx + vy + c2)
            // Both pictures of one value: the same.
            return total + (below > 0 ? above / below : 1)
        }
        return total / Double(max(sums[0].count, 1))
    }

    /// Of each window that lies within a picture `[rows, bands]`.
    private static func windowMeans(_ picture: [Double], rows: Int) -> [Double] {
        let columns = bands - window + 1
        var result: [Double] = []
        result.reserveCapacity((rows - window + 1) * columns)
        for row in 0...rows - window {
            let lines = (0..<bands).map { band in
                (row..<row + window).reduce(0.0) { $0 + picture[$1 * bands + band] }
            }
            for column in 0..<columns {
                result.append(lines[column..<column + window].reduce(0, +) / Double(window * window))
            }
        }
        return result
    }
}
