import Evaluation
import Glibc

/// The mean of ratings, and how well it is known, where raters and items both stand for others of their kind.
///
/// Variances of crossed random effects: that of the mean is s²(rater means)/R + s²(item means)/I − s²(rest)/N, with
/// Satterthwaite's degrees of freedom. Exact for complete tables, near it where some answers are missing.
public struct CrossedMean: Sendable, Equatable, Encodable {
    /// One rater's rating of one item.
    public struct Rating: Sendable, Equatable {
        /// The rater's number: equal for ratings of one rater.
        public let rater: Int
        /// The item's number: equal for ratings of one item.
        public let item: Int
        /// The rating, or the difference of two.
        public let value: Double
        /// A rating with its two numbers.
        public init(rater: Int, item: Int, value: Double) {
            (self.rater, self.item, self.value) = (rater, item, value)
        }
    }

    /// The mean of all ratings.
    public let mean: Double
    /// How many ratings there are.
    public let ratings: Int
    /// How many raters gave them.
    public let raters: Int
    /// How many items they are of.
    public let items: Int
    /// Standard error of the mean; nil where there is one rater.
    public let standardError: Double?
    /// Degrees of freedom of the standard error, 1 or more (Satterthwaite); nil where there is one rater.
    public let degrees: Double?
    /// Interval of 95 %, by Student's t.
    public let interval: Interval?
    /// Interval by drawing raters and items with replacement (Owen 2007); of 95 %, and a little wide.
    public let bootstrap: Interval?

    static let level = 0.95

    /// - Parameter ratings: at least one.
    public init?(_ ratings: [Rating], draws: Int = 1000, seed: UInt32 = 0) {
        guard !ratings.isEmpty else { return nil }
        let count = Double(ratings.count)
        let mean = ratings.reduce(0) { $0 + $1.value } / count
        let byRater = Self.means(ratings, \.rater)
        let byItem = Self.means(ratings, \.item)
        (self.mean, self.ratings) = (mean, ratings.count)
        (raters, items) = (byRater.count, byItem.count)
        let rest = ratings.reduce(0.0) { sum, rating in
            let expected = (byRater[rating.rater] ?? mean) + (byItem[rating.item] ?? mean) - mean
            return sum + (rating.value - expected) * (rating.value - expected)
        }
        // Variances, their weights in the mean's, and their degrees of freedom.
        var parts: [(value: Double, weight: Double, degrees: Double)] = []
        for means in [byRater, byItem] where means.count > 1 {
            parts.append((Self.variance(Array(means.values)), 1 / Double(means.count), Double(means.count - 1)))
        }
        let free = count - Double(byRater.count + byItem.count) + 1
        if parts.count == 2, free > 0 { parts.append((rest / free, -1 / count, free)) }
        // One rater's answers say nothing of raters.
        guard byRater.count > 1 else {
            (standardError, degrees, interval, bootstrap) = (nil, nil, nil, nil)
            return
        }
        // Not less than the larger of the two alone.
        let least = parts.prefix(2).map { $0.value * $0.weight }.max() ?? 0
        let variance = max(parts.reduce(0) { $0 + $1.value * $1.weight }, least)
        let spread = parts.reduce(0) { $0 + pow($1.value * $1.weight, 2) / $1.degrees }
        let degrees = spread > 0 ? max(variance * variance / spread, 1) : count - 1
        let error = variance.squareRoot()
        let reach = error > 0 ? error * StudentT.quantile(twoSided: Self.level, degrees: degrees) : 0
        (standardError, self.degrees) = (error, degrees)
        interval = Interval(low: mean - reach, high: mean + reach)
        bootstrap = Self.bootstrap(ratings, Array(byRater.keys).sorted(), Array(byItem.keys).sorted(), draws, seed)
    }

    /// Probability of a mean as far from 0 if there were nothing; nil where that cannot be said, as where all ratings are the same.
    public var pValue: Double? {
        guard let standardError, let degrees, standardError > 0 else { return nil }
        return StudentT.twoSided(mean / standardError, degrees: degrees)
    }

    private static func means(_ ratings: [Rating], _ group: KeyPath<Rating, Int>) -> [Int: Double] {
        Dictionary(grouping: ratings) { $0[keyPath: group] }.mapValues { group in
            group.reduce(0) { $0 + $1.value } / Double(group.count)
        }
    }

    private static func variance(_ values: [Double]) -> Double {
        let mean = values.reduce(0, +) / Double(values.count)
        return values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)
    }

    private static func bootstrap(
        _ ratings: [Rating], _ raters: [Int], _ items: [Int], _ draws: Int, _ seed: UInt32
    ) -> Interval? {
        guard draws > 1 else { return nil }
        var random = NumPyRandom(seed: seed)
        let raterPlaces = Dictionary(uniqueKeysWithValues: raters.enumerated().map { ($1, $0) })
        let itemPlaces = Dictionary(uniqueKeysWithValues: items.enumerated().map { ($1, $0) })
        let table = ratings.map { (raterPlaces[$0.rater] ?? 0, itemPlaces[$0.item] ?? 0, $0.value) }
        func weights(_ count: Int) -> [Double] {
            var weights = [Double](repeating: 0, count: count)
            for place in random.choice(of: count, size: count) { weights[place] += 1 }
            return weights
        }
        let means = (0..<draws).compactMap { _ -> Double? in
            let (byRater, byItem) = (weights(raters.count), weights(items.count))
            var (sum, total) = (0.0, 0.0)
            for (rater, item, value) in table {
                let weight = byRater[rater] * byItem[item]
                (sum, total) = (sum + weight * value, total + weight)
            }
            // Of a table with holes a draw may be empty.
            return total > 0 ? sum / total : nil
        }.sorted()
        guard means.count > 1 else { return nil }
        return Interval(
            low: Bootstrap.quantile(means, (1 - level) / 2), high: Bootstrap.quantile(means, (1 + level) / 2))
    }
}
