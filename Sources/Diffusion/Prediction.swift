/// Factors of a linear combination of a sample and the model's output for it.
struct SampleAndOutput {
    var sample: Double
    var output: Double
}

/// What a model's output says about a noisy sample `x = signal · x₀ + noise · ε`.
struct Prediction {
    /// x₀, the sample without noise.
    let clean: SampleAndOutput
    /// ε, the noise.
    let noise: SampleAndOutput

    /// - Parameters:
    ///   - signal: √ᾱ at the sample's timestep.
    ///   - noise: √(1 − ᾱ).
    init(_ type: PredictionType, signal: Double, noise: Double) {
        switch type {
        case .epsilon:
            clean = SampleAndOutput(sample: 1 / signal, output: -noise / signal)
            self.noise = SampleAndOutput(sample: 0, output: 1)
        case .sample:
            clean = SampleAndOutput(sample: 0, output: 1)
            self.noise = SampleAndOutput(sample: 1 / noise, output: -signal / noise)
        case .velocity:
            clean = SampleAndOutput(sample: signal, output: -noise)
            self.noise = SampleAndOutput(sample: noise, output: signal)
        }
    }
}
