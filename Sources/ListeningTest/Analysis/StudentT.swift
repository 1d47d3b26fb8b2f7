import Glibc

/// Student's distribution, of any positive number of degrees of freedom.
package enum StudentT {
    /// The probability of a number at least as far from 0 as `t`.
    package static func twoSided(_ t: Double, degrees: Double) -> Double {
        guard t.isFinite else { return t.isNaN ? 1 : 0 }
        return incompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5)
    }

    /// The number that a share `level` lies nearer to 0 than.
    package static func quantile(twoSided level: Double, degrees: Double) -> Double {
        var (low, high) = (0.0, 1.0)
        while twoSided(high, degrees: degrees) > 1 - level, high < 1e9 { high *= 2 }
        for _ in 0..<200 {
            let middle = (low + high) / 2
            if twoSided(middle, degrees: degrees) > 1 - level { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }

    /// The regularized incomplete beta function, by its continued fraction (Lentz's way).
    static func incompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
        guard x > 0 else { return 0 }
        guard x < 1 else { return 1 }
        if x > (a + 1) / (a + b + 2) { return 1 - incompleteBeta(1 - x, b, a) }
        let logarithm = lgamma(a + b) - lgamma(a) - lgamma(b)
        let front = exp(logarithm + a * log(x) + b * log(1 - x)) / a
        let tiny = 1e-300
        var (c, d) = (1.0, 1 - (a + b) * x / (a + 1))
        d = 1 / (abs(d) < tiny ? tiny : d)
        var fraction = d
        for step in 1...10_000 {
            let m = Double(step)
            let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
            let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
            for numerator in [even, odd] {
                d = 1 + numerator * d
                c = 1 + numerator / c
                d = 1 / (abs(d) < tiny ? tiny : d)
                c = abs(c) < tiny ? tiny : c
                fraction *= d * c
            }
            if abs(d * c - 1) < 1e-15 { break }
        }
        return front * fraction
    }
}
