/// What a figure could have been with other sounds of the same kind.
public struct Interval: Sendable, Equatable, Codable {
    /// The lower end.
    public let low: Double
    /// The upper end.
    public let high: Double
    /// An interval between its ends.
    public init(low: Double, high: Double) { (self.low, self.high) = (low, high) }
}

/// Resampling, which says how well a figure is known without knowing how it is distributed.
public enum Bootstrap {
    /// Efron's percentile interval of a statistic of items drawn with replacement.
    /// - Parameters:
    ///   - count: of items.
    ///   - statistic: of the items with these numbers, some more than once.
    public static func interval(
        of count: Int, level: Double = 0.95, draws: Int = 1000, seed: UInt32 = 0,
        _ statistic: ([Int]) throws -> Double
    ) rethrows -> Interval? {
        guard count > 1, draws > 1 else { return nil }
        var random = NumPyRandom(seed: seed)
        let values = try (0..<draws).map { _ in try statistic(random.choice(of: count, size: count)) }.sorted()
        return Interval(low: quantile(values, (1 - level) / 2), high: quantile(values, (1 + level) / 2))
    }

    /// The interval of a mean.
    public static func interval(
        ofMean values: [Double], level: Double = 0.95, draws: Int = 1000, seed: UInt32 = 0
    ) -> Interval? {
        interval(of: values.count, level: level, draws: draws, seed: seed) { indices in
            indices.reduce(0) { $0 + values[$1] } / Double(indices.count)
        }
    }

    /// Linear between neighbours, as `numpy.quantile`.
    package static func quantile(_ sorted: [Double], _ share: Double) -> Double {
        let place = share * Double(sorted.count - 1)
        let index = min(Int(place), sorted.count - 1)
        let next = min(index + 1, sorted.count - 1)
        return sorted[index] + (place - Double(index)) * (sorted[next] - sorted[index])
    }

    /// The standard error of a distance between sets, by random halves of the set without replacement (the jackknife that
    /// deletes half, Shao & Wu 1989): their spread is that of the whole. A bootstrap's set has sounds twice, which
    /// raises a Fréchet distance and spoils the unbiased estimates of the kernel distances.
    public static func standardErrorByHalves(
        of count: Int, draws: Int = 50, seed: UInt32 = 0, _ statistic: ([Int]) throws -> Double
    ) rethrows -> Double? {
        guard count > 3, draws > 1 else { return nil }
        var random = NumPyRandom(seed: seed)
        let values = try (0..<draws).map { _ in try statistic(random.sample(of: count, size: count / 2).sorted()) }
        let mean = values.reduce(0, +) / Double(draws)
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(draws - 1)
        // Parts of n/2 vary twice as much as the whole, and half of that is left without replacement.
        let odd = Double(count / 2) / Double(count - count / 2)
        return (variance * odd).squareRoot()
    }
}
