/// FAD∞ (Chong & Forsyth 2020; Gui et al. 2023): the distance at 1/n → 0, by a line through distances of random parts of the
/// evaluated set.
public struct FrechetAtInfinity: Sendable, Equatable {
    /// A distance of a random part of the evaluated set.
    public struct Point: Sendable, Equatable, Codable {
        /// Embeddings drawn.
        public let count: Int
        /// The part's `FrechetDistance` from the reference.
        public let distance: Double
    }

    /// Where the line meets 1/n = 0.
    public let value: Double
    /// Slope of the line, by 1/n.
    public let slope: Double
    /// How well the line fits, at most 1.
    public let rSquared: Double
    /// The distances that the line goes through, smallest part first.
    public let points: [Point]

    /// As fadtk: sizes evenly from `least` to all, drawn with replacement.
    /// - Parameters:
    ///   - seed: of NumPy's `RandomState`.
    /// - Throws: `EvaluationError.tooFew` for sets that are not larger than `least`.
    public init(
        _ evaluated: Embeddings, reference: GaussianFactor, steps: Int = 25, least: Int = 500, seed: UInt32 = 0
    ) throws {
        let most = evaluated.rowCount
        guard most > least, steps > 1, least > 1 else {
            throw EvaluationError.tooFew(
                "FAD∞ takes more than \(least) embeddings, there are \(most): give more or longer sounds")
        }
        var random = NumPyRandom(seed: seed)
        points = try (0..<steps).map { step in
            // `numpy.linspace` and `int`.
            let count = Int(Double(least) + Double(step) * (Double(most - least) / Double(steps - 1)))
            let drawn = evaluated.rows(random.choice(of: most, size: count))
            return Point(count: count, distance: try FrechetDistance(reference, GaussianFactor(drawn)).value)
        }
        let line = StraightLine(points.map { (1 / Double($0.count), $0.distance) })
        (value, slope, rSquared) = (line.intercept, line.slope, line.rSquared)
    }
}

/// A line by least squares.
struct StraightLine {
    let intercept: Double
    let slope: Double
    let rSquared: Double

    init(_ points: [(x: Double, y: Double)]) {
        let count = Double(points.count)
        let x = points.reduce(0) { $0 + $1.x } / count
        let y = points.reduce(0) { $0 + $1.y } / count
        let xx = points.reduce(0) { $0 + ($1.x - x) * ($1.x - x) }
        let xy = points.reduce(0) { $0 + ($1.x - x) * ($1.y - y) }
        let yy = points.reduce(0) { $0 + ($1.y - y) * ($1.y - y) }
        slope = xx > 0 ? xy / xx : 0
        intercept = y - slope * x
        rSquared = xx > 0 && yy > 0 ? xy * xy / (xx * yy) : 1
    }
}
