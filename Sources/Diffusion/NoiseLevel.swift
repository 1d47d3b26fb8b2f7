import Foundation

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

extension NoiseSchedule {
    /// σ at each timestep, interpolated between training steps and held beyond them, and 0 at the end.
    func sigmas(at timesteps: [Double]) -> [Float] {
        let sigmas = sigmas
        let last = sigmas.count - 1
        return timesteps.map { timestep in
            let index = min(max(Int(timestep), 0), last)
            let fraction = min(timestep, Double(last)) - Double(index)
            let slope = Double(sigmas[min(index + 1, last)]) - Double(sigmas[index])
            return Float(slope * fraction + Double(sigmas[index]))
        } + [0]
    }
}
