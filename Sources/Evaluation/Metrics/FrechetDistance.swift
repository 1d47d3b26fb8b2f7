/// The Fréchet distance of two sets of embeddings, taken as Gaussians: |m₁ − m₂|² + tr C₁ + tr C₂ − 2 tr √(C₁C₂)
/// (Dowson & Landau 1982; FAD: Kilgour et al. 2019).
///
/// With C = FᵀF the last trace is the sum of the singular values of F₁F₂ᵀ, which is real, and not negative, for covariances of any rank.
public struct FrechetDistance: Sendable, Equatable {
    /// The distance: 0 for equal sets, less is nearer.
    public let value: Double
    /// |m₁ − m₂|²
    public let meanTerm: Double
    /// The rest.
    public let covarianceTerm: Double

    /// - Throws: `EvaluationError` for sets of fewer than two embeddings, or of different widths.
    public init(_ first: EmbeddingStatistics, _ second: EmbeddingStatistics) throws {
        try self.init(GaussianFactor(first), GaussianFactor(second))
    }

    /// - Throws: `EvaluationError` for sets of fewer than two embeddings, or of different widths.
    public init(_ first: Embeddings, _ second: Embeddings) throws {
        try self.init(GaussianFactor(first), GaussianFactor(second))
    }

    /// - Throws: `EvaluationError.shape` for different widths.
    public init(_ first: GaussianFactor, _ second: GaussianFactor) throws {
        guard first.mean.count == second.mean.count else {
            throw EvaluationError.shape("embeddings of width \(first.mean.count) and \(second.mean.count)")
        }
        meanTerm = zip(first.mean, second.mean).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        if first == second {
            covarianceTerm = 0
        } else {
            let cross = try LinearAlgebra.shared.singularValues(first.rows.timesTransposed(second.rows))
            covarianceTerm = max(0, first.trace + second.trace - 2 * cross.reduce(0, +))
        }
        value = meanTerm + covarianceTerm
    }
}

/// A mean, and a factor F of a covariance FᵀF.
public struct GaussianFactor: Sendable, Equatable {
    let mean: [Double]
    /// F, `[rank, width]`
    let rows: Matrix
    /// Trace of the covariance.
    package let trace: Double
    /// Embeddings that it is of.
    public let count: Int
    /// Rank of the covariance.
    public let rank: Int
    /// Numbers of an embedding.
    public var width: Int { mean.count }

    /// True where the covariance does not fill the space: then the distance depends strongly on the number of sounds.
    public var isRankDeficient: Bool { rank < width }

    /// By a symmetric eigendecomposition.
    /// - Throws: `EvaluationError.tooFew` for fewer than two embeddings.
    public init(_ statistics: EmbeddingStatistics) throws {
        let statistics = statistics.finished()
        let covariance = try statistics.covariance()
        let (values, vectors) = try LinearAlgebra.shared.symmetricEigen(covariance)
        // What is below is rounding: its square root would not be.
        let floor = (values.last ?? 0) * Double(values.count) * Double.ulpOfOne
        // Centred rows span one dimension fewer than there are rows.
        let kept = values.indices.suffix(statistics.count - 1).filter { values[$0] > floor }
        var rows = Matrix(zeros: kept.count, statistics.width)
        for (row, index) in kept.enumerated() {
            let scale = values[index].squareRoot()
            for column in 0..<rows.columns { rows[row, column] = scale * vectors[index, column] }
        }
        (mean, self.rows, trace) = (statistics.mean, rows, covariance.trace)
        (count, rank) = (statistics.count, kept.count)
    }

    /// Of few embeddings the centred ones are a factor themselves.
    /// - Throws: `EvaluationError.tooFew` for fewer than two.
    public init(_ embeddings: Embeddings) throws {
        let count = embeddings.rowCount
        guard count <= embeddings.width, count > 1 else {
            try self.init(EmbeddingStatistics(of: embeddings))
            return
        }
        self.init(centring: embeddings.matrix)
    }

    private init(centring matrix: Matrix) {
        var rows = matrix
        var mean = [Double](repeating: 0, count: rows.columns)
        for row in 0..<rows.rows { for column in mean.indices { mean[column] += rows[row, column] } }
        for column in mean.indices { mean[column] /= Double(rows.rows) }
        let scale = 1 / Double(rows.rows - 1).squareRoot()
        for row in 0..<rows.rows {
            for column in mean.indices { rows[row, column] = scale * (rows[row, column] - mean[column]) }
        }
        (self.mean, self.rows, count) = (mean, rows, rows.rows)
        trace = rows.values.reduce(0) { $0 + $1 * $1 }
        rank = count - 1
    }
}
