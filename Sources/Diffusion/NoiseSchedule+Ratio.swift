import Glibc

extension SchedulerConfig {
    /// Half the logarithm of the signal-to-noise ratio at time steps, which may lie between those of the training: what
    /// predictions change smoothly over.
    package func logRatios(at timesteps: [Float]) -> [Float] {
        let sigmas = NoiseSchedule(self, rescaled: true).interpolatedSigmas(at: timesteps.map { Double($0) })
        return sigmas.map { Float(-log(max($0, 1e-10))) }
    }
}
