import Glibc

/// A rule that spaces noise levels between the highest and the lowest one, instead of timesteps.
enum SigmaSpacing: String, CaseIterable {
    /// Even in σ^(1/7): arXiv 2206.00364, equation 5.
    case karras = "use_karras_sigmas"
    /// Even in the logarithm of σ.
    case exponential = "use_exponential_sigmas"
    /// At quantiles of the beta distribution with α = β = 0.6, dense at both ends: arXiv 2407.12173.
    case beta = "use_beta_sigmas"

    /// - Returns: `count` levels, the highest first.
    func sigmas(from highest: Double, to lowest: Double, count: Int) -> [Double] {
        let steps = (0..<count).map { count > 1 ? Double($0) * (1 / Double(count - 1)) : 0 }
        switch self {
        case .karras:
            let rho = 7.0
            let (start, end) = (pow(highest, 1 / rho), pow(lowest, 1 / rho))
            return steps.map { pow(start + $0 * (end - start), rho) }
        case .exponential:
            let (start, end) = (log(highest), log(lowest))
            let step = count > 1 ? (end - start) / Double(count - 1) : 0
            return steps.indices.map { exp($0 > 0 && $0 == count - 1 ? end : Double($0) * step + start) }
        case .beta:
            let distribution = BetaDistribution(alpha: 0.6, beta: 0.6)
            return steps.map { lowest + distribution.quantile(1 - $0) * (highest - lowest) }
        }
    }
}

/// The beta distribution, by its regularized incomplete beta function.
struct BetaDistribution {
    let alpha: Double
    let beta: Double

    /// The value that a share of the distribution is below.
    func quantile(_ share: Double) -> Double {
        guard share > 0 else { return 0 }
        guard share < 1 else { return 1 }
        var (low, high) = (0.0, 1.0)
        while case let middle = low + (high - low) / 2, middle > low, middle < high {
            if cumulative(middle) < share { low = middle } else { high = middle }
        }
        return high
    }

    /// The share of the distribution below `x`.
    func cumulative(_ x: Double) -> Double {
        guard x > 0 else { return 0 }
        guard x < 1 else { return 1 }
        // The fraction converges fast below the mean; above it, the other end is looked at.
        guard x < (alpha + 1) / (alpha + beta + 2) else {
            return 1 - BetaDistribution(alpha: beta, beta: alpha).share(1 - x)
        }
        return share(x)
    }

    /// Lentz' evaluation of the continued fraction (Abramowitz and Stegun 26.5.8).
    private func share(_ x: Double) -> Double {
        let logarithm = lgamma(alpha + beta) - lgamma(alpha) - lgamma(beta) + alpha * log(x) + beta * log1p(-x)
        var (c, d) = (1.0, 1 / nonzero(1 - (alpha + beta) * x / (alpha + 1)))
        var fraction = d
        for m in 1...300 {
            let m = Double(m)
            let even = m * (beta - m) * x / ((alpha + 2 * m - 1) * (alpha + 2 * m))
            let odd = -(alpha + m) * (alpha + beta + m) * x / ((alpha + 2 * m) * (alpha + 2 * m + 1))
            var change = 1.0
            for term in [even, odd] {
                d = 1 / nonzero(1 + term * d)
                c = nonzero(1 + term / c)
                change = c * d
                fraction *= change
            }
            if abs(change - 1) < 1e-16 { break }
        }
        return exp(logarithm) * fraction / alpha
    }

    private func nonzero(_ value: Double) -> Double { abs(value) < 1e-300 ? 1e-300 : value }
}
