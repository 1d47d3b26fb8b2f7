import Glibc

/// Kernel inception distance (Bińkowski et al. 2018): the unbiased squared maximum mean discrepancy under the kernel
/// (γ x·y + c)^degree, over random parts of both sets, as torch-fidelity and audioldm_eval compute it.
public struct KernelInceptionDistance: Sendable, Equatable {
    /// The mean over the parts: about 0 for sets of one kind, and below it by chance.
    public let mean: Double
    /// Standard deviation over the parts; of the population.
    public let deviation: Double
    /// Embeddings of a part.
    public let subsetSize: Int

    /// - Throws: `EvaluationError` for fewer than two embeddings, or different widths.
    public init(
        _ first: Embeddings, _ second: Embeddings, subsets: Int = 100, subsetSize: Int = 1000, degree: Int = 3,
        offset: Double = 1, seed: UInt32 = 2020
    ) throws {
        guard first.width == second.width else {
            throw EvaluationError.shape("embeddings of width \(first.width) and \(second.width)")
        }
        let size = min(subsetSize, first.rowCount, second.rowCount)
        guard size > 1 else {
            throw EvaluationError.tooFew(
                "KID takes two or more embeddings of each set, there are \(first.rowCount) and \(second.rowCount)")
        }
        let scale = 1 / Double(first.width)
        let kernel = { (product: Double) in
            let base = product * scale + offset
            return (0..<degree).reduce(1.0) { power, _ in power * base }
        }
        var random = NumPyRandom(seed: seed)
        // The whole sets give the same in any order.
        let isWhole = size == first.rowCount && size == second.rowCount
        let values = (0..<(isWhole ? 1 : subsets)).map { _ in
            let x = first.rows(random.sample(of: first.rowCount, size: size)).matrix
            let y = second.rows(random.sample(of: second.rowCount, size: size)).matrix
            return Self.discrepancy(x, y, kernel)
        }
        mean = values.reduce(0, +) / Double(values.count)
        let centre = mean
        deviation = (values.reduce(0) { $0 + ($1 - centre) * ($1 - centre) } / Double(values.count)).squareRoot()
        self.subsetSize = size
    }

    private static func discrepancy(_ x: Matrix, _ y: Matrix, _ kernel: (Double) -> Double) -> Double {
        let count = Double(x.rows)
        func sum(_ a: Matrix, _ b: Matrix, diagonal: Bool) -> Double {
            let products = a.timesTransposed(b)
            var sum = 0.0
            for row in 0..<products.rows {
                for column in 0..<products.columns where diagonal || row != column {
                    sum += kernel(products[row, column])
                }
            }
            return sum
        }
        let within = sum(x, x, diagonal: false) + sum(y, y, diagonal: false)
        return within / (count * (count - 1)) - 2 * sum(x, y, diagonal: true) / (count * count)
    }
}

/// Kernel audio distance (Chung et al. 2025), as kadtk computes it: 100 times the unbiased squared maximum mean discrepancy
/// under a Gaussian kernel as wide as the median distance between embeddings of the evaluated set.
public struct KernelAudioDistance: Sendable, Equatable {
    /// The distance: about 0 for sets of one kind, and below it by chance.
    public let value: Double
    /// The kernel's width, in the embeddings' own unit.
    public let bandwidth: Double

    private static let scale = 100.0
    private static let epsilon = 1e-8

    /// - Parameter bandwidth: of the kernel; nil for the median.
    /// - Throws: `EvaluationError` for fewer than two embeddings, or different widths.
    public init(reference: Embeddings, evaluated: Embeddings, bandwidth: Double? = nil) throws {
        guard reference.width == evaluated.width else {
            throw EvaluationError.shape("embeddings of width \(reference.width) and \(evaluated.width)")
        }
        let (m, n) = (reference.rowCount, evaluated.rowCount)
        guard m > 1, n > 1 else {
            throw EvaluationError.tooFew("KAD takes two or more embeddings of each set, there are \(n) and \(m)")
        }
        let (x, y) = (SquaredDistances(reference), SquaredDistances(evaluated))
        let width = bandwidth ?? y.medianDistance()
        let gamma = 1 / (2 * width * width + Self.epsilon)
        let kernel = { (squared: Double) in exp(-gamma * squared) }
        let within =
            x.sum(to: x, diagonal: false, kernel) / (Double(m) * Double(m - 1))
            + y.sum(to: y, diagonal: false, kernel) / (Double(n) * Double(n - 1))
        value = Self.scale * (within - 2 * x.sum(to: y, diagonal: true, kernel) / (Double(m) * Double(n)))
        self.bandwidth = width
    }
}

/// Squared distances between embeddings, made block by block.
private struct SquaredDistances {
    private let rows: Matrix
    private let norms: [Double]

    private static let blockRows = 256

    init(_ embeddings: Embeddings) {
        let rows = embeddings.matrix
        self.rows = rows
        norms = (0..<rows.rows).map { row in
            (0..<rows.columns).reduce(0) { $0 + rows[row, $1] * rows[row, $1] }
        }
    }

    private func block(_ range: Range<Int>) -> Matrix {
        var block = Matrix(zeros: range.count, rows.columns)
        block.values = Array(rows.values[range.lowerBound * rows.columns..<range.upperBound * rows.columns])
        return block
    }

    /// Hands over every pair's squared distance.
    private func forEach(to other: SquaredDistances, _ body: (_ row: Int, _ column: Int, Double) -> Void) {
        for start in stride(from: 0, to: rows.rows, by: Self.blockRows) {
            let range = start..<min(start + Self.blockRows, rows.rows)
            let products = block(range).timesTransposed(other.rows)
            for row in range {
                for column in 0..<other.rows.rows {
                    let squared = norms[row] + other.norms[column] - 2 * products[row - start, column]
                    body(row, column, max(squared, 0))
                }
            }
        }
    }

    func sum(to other: SquaredDistances, diagonal: Bool, _ kernel: (Double) -> Double) -> Double {
        var sum = 0.0
        forEach(to: other) { row, column, squared in if diagonal || row != column { sum += kernel(squared) } }
        return sum
    }

    /// The lower median of the distances of all pairs, as float32. Bits of positive numbers rise as the numbers do, so two
    /// counts, of the upper and of the lower half of the bits, find it without keeping the distances.
    func medianDistance() -> Double {
        let wanted = (rows.rows * (rows.rows - 1) / 2 - 1) / 2
        func counts(_ key: (UInt32) -> Int?) -> [Int] {
            var counts = [Int](repeating: 0, count: 1 << 16)
            forEach(to: self) { row, column, squared in
                guard row < column, let key = key(Float(squared.squareRoot()).bitPattern) else { return }
                counts[key] += 1
            }
            return counts
        }
        func place(_ rank: Int, in counts: [Int]) -> (key: Int, rest: Int) {
            var rest = rank
            for (key, count) in counts.enumerated() {
                if rest < count { return (key, rest) }
                rest -= count
            }
            return (0, 0)
        }
        let upper = place(wanted, in: counts { Int($0 >> 16) })
        let lower = place(upper.rest, in: counts { $0 >> 16 == UInt32(upper.key) ? Int($0 & 0xFFFF) : nil })
        return Double(Float(bitPattern: UInt32(upper.key) << 16 | UInt32(lower.key)))
    }
}
