/// Count, mean and covariance of embeddings, in float64, taken in as they come: memory does not grow with their number.
///
/// Blocks are merged by the update of Chan, Golub & LeVeque 1979, which keeps what subtracting a mean of squares would lose.
public struct EmbeddingStatistics: Sendable, Equatable {
    /// Numbers of an embedding.
    public let width: Int
    /// How many rows there were.
    public private(set) var count = 0
    /// `[width]`
    public private(set) var mean: [Double]
    /// Sum of the products of centred rows, `[width, width]`.
    private(set) var scatter: Matrix
    /// Rows that are not merged yet.
    private var pending: [Double] = []

    private static let blockRows = 256

    /// Statistics of no rows yet.
    /// - Parameter width: 1 or more.
    public init(width: Int) {
        self.width = width
        mean = Array(repeating: 0, count: width)
        scatter = Matrix(zeros: width, width)
    }

    /// Statistics of rows that are all there.
    public init(of embeddings: Embeddings) throws {
        self.init(width: embeddings.width)
        try add(embeddings)
        flush()
    }

    package init(count: Int, mean: [Double], scatter: Matrix) {
        (width, self.count, self.mean, self.scatter) = (mean.count, count, mean, scatter)
    }

    /// - Throws: `EvaluationError.shape` for rows of another width.
    public mutating func add(_ embeddings: Embeddings) throws {
        guard embeddings.width == width else {
            throw EvaluationError.shape("rows of \(embeddings.width) for statistics of \(width)")
        }
        for row in 0..<embeddings.rowCount {
            for value in embeddings[row] { pending.append(Double(value)) }
            if pending.count == Self.blockRows * width { flush() }
        }
    }

    /// Takes in what other statistics have.
    /// - Throws: `EvaluationError.shape` for those of another width.
    public mutating func merge(_ other: EmbeddingStatistics) throws {
        guard other.width == width else {
            throw EvaluationError.shape("statistics of width \(other.width) beside \(width)")
        }
        var other = other
        other.flush()
        flush()
        merge(count: other.count, mean: other.mean, scatter: other.scatter)
    }

    /// Unbiased, `[width, width]`, as `numpy.cov`.
    /// - Throws: `EvaluationError.tooFew` for fewer than two rows.
    public func covariance() throws -> Matrix {
        let whole = finished()
        guard whole.count > 1 else {
            throw EvaluationError.tooFew("\(whole.count) embedding(s) have no covariance: two or more are needed")
        }
        var result = whole.scatter
        for index in result.values.indices { result.values[index] /= Double(whole.count - 1) }
        return result
    }

    /// The same with nothing pending.
    func finished() -> EmbeddingStatistics {
        var copy = self
        copy.flush()
        return copy
    }

    private mutating func flush() {
        let rows = pending.count / max(width, 1)
        guard rows > 0 else { return }
        var blockMean = [Double](repeating: 0, count: width)
        for row in 0..<rows { for column in 0..<width { blockMean[column] += pending[row * width + column] } }
        for column in 0..<width { blockMean[column] /= Double(rows) }
        // By columns, so that a product of rows sums over the block.
        var centred = Matrix(zeros: width, rows)
        for row in 0..<rows {
            for column in 0..<width { centred[column, row] = pending[row * width + column] - blockMean[column] }
        }
        pending.removeAll(keepingCapacity: true)
        merge(count: rows, mean: blockMean, scatter: centred.timesTransposed(centred))
    }

    private mutating func merge(count other: Int, mean otherMean: [Double], scatter otherScatter: Matrix) {
        guard other > 0 else { return }
        let total = count + other
        let weight = Double(count) * Double(other) / Double(total)
        let difference = zip(otherMean, mean).map { $0 - $1 }
        for row in 0..<width {
            for column in 0..<width {
                scatter[row, column] += otherScatter[row, column] + weight * difference[row] * difference[column]
            }
            mean[row] += difference[row] * Double(other) / Double(total)
        }
        count = total
    }
}
