import Glibc

/// Signal and noise at one point of a solver's way, in float32 as in diffusers.
struct NoiseLevel {
    /// √ᾱ.
    let signal: Float
    /// √(1 − ᾱ).
    let noise: Float
    /// Half the logarithm of the signal-to-noise ratio; +∞ without noise.
    let lambda: Float

    /// - Parameter sigma: noise / signal.
    init(sigma: Float) {
        signal = 1 / (sigma * sigma + 1).squareRoot()
        noise = sigma * signal
        lambda = log(signal) - log(noise)
    }

    func prediction(_ type: PredictionType) -> Prediction {
        Prediction(type, signal: Double(signal), noise: Double(noise))
    }
}
