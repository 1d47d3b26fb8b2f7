import Glibc

extension CleanPath {
    /// - Parameter alphas: ᾱ at each step; at least one.
    init(_ type: PredictionType, alphas: [Float]) {
        signal = alphas[0].squareRoot()
        noise = (1 - alphas[0]).squareRoot()
        predictions = alphas.map { alpha in
            let clean = Prediction(
                type, signal: Double(alpha).squareRoot(), noise: (1 - Double(alpha)).squareRoot()
            ).clean
            return (Float(clean.sample), Float(clean.output))
        }
    }
}

/// How much of the signal is left at each training step, computed in float32 in the order in which diffusers does it:
/// small differences of these numbers are what the schedulers' coefficients are made of.
package struct NoiseSchedule {
    /// ᾱ, the product of 1 − β up to each step: the signal's share of the power.
    package let alphasCumprod: [Float]

    /// - Parameter rescaled: whether the scheduler obeys the config's `rescale_betas_zero_snr`.
    package init(_ config: SchedulerConfig, rescaled: Bool) {
        var betas = Self.betas(config)
        if rescaled && config.rescaleBetasZeroSNR { betas = Self.rescaledToZeroSNR(betas) }
        alphasCumprod = Self.cumulativeProduct(betas.map { 1 - $0 })
    }

    /// σ = √((1 − ᾱ) / ᾱ): the noise's share in coordinates where the signal stays as it is.
    var sigmas: [Float] {
        alphasCumprod.map { alpha in
            // Zero terminal SNR would make σ infinite: diffusers puts the smallest float16 in its place.
            let alpha = alpha == 0 ? 0x1p-24 : alpha
            return ((1 - alpha) / alpha).squareRoot()
        }
    }

    private static func betas(_ config: SchedulerConfig) -> [Float] {
        if let trained = config.trainedBetas { return trained.map { Float($0) } }
        switch config.betaSchedule {
        case .linear:
            return linspace(config.betaStart, config.betaEnd, count: config.trainSteps)
        case .scaledLinear:
            return linspace(config.betaStart.squareRoot(), config.betaEnd.squareRoot(), count: config.trainSteps)
                .map { $0 * $0 }
        case .squaredCosine:
            return squaredCosineBetas(count: config.trainSteps)
        }
    }

    /// `torch.linspace` in float32: counted from the nearer end, with fused multiply-adds.
    private static func linspace(_ start: Double, _ end: Double, count: Int) -> [Float] {
        let (start, end) = (Float(start), Float(end))
        let step = (end - start) / Float(count - 1)
        guard count > 1 else { return [start] }
        return (0..<count).map { index in
            index < count / 2
                ? start.addingProduct(step, Float(index)) : end.addingProduct(-step, Float(count - 1 - index))
        }
    }

    /// arXiv 2102.09672, equation 17.
    private static func squaredCosineBetas(count: Int) -> [Float] {
        func alpha(_ time: Double) -> Double {
            let cosine = cos((time + 0.008) / 1.008 * Double.pi / 2)
            return cosine * cosine
        }
        return (0..<count).map { index in
            let ratio = alpha(Double(index + 1) / Double(count)) / alpha(Double(index) / Double(count))
            return Float(min(1 - ratio, 0.999))
        }
    }

    /// arXiv 2305.08891, algorithm 1.
    private static func rescaledToZeroSNR(_ betas: [Float]) -> [Float] {
        let roots = cumulativeProduct(betas.map { 1 - $0 }).map { $0.squareRoot() }
        guard let first = roots.first, let last = roots.last else { return [] }
        let scale = first / (first - last)
        let alphas = roots.map { root in
            let shifted = (root - last) * scale
            return shifted * shifted
        }
        return alphas.indices.map { 1 - ($0 == 0 ? alphas[0] : alphas[$0] / alphas[$0 - 1]) }
    }

    /// `torch.cumprod`, which accumulates in double precision and rounds each element.
    private static func cumulativeProduct(_ factors: [Float]) -> [Float] {
        var product = 1.0
        return factors.map { factor in
            product *= Double(factor)
            return Float(product)
        }
    }
}
