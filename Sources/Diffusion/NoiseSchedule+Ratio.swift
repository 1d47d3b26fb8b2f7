import Glibc

extension SchedulerConfig {
    /// Half the logarithm of the signal-to-noise ratio at time steps, which may lie between those of the training: what
    /// predictions change smoothly over. Between them it is interpolated, as where a time step is looked for by its level.
    package func logRatios(at timesteps: [Float]) -> [Float] {
        let trained = NoiseSchedule(self, rescaled: true).sigmas.map { -log(max(Double($0), 1e-10)) }
        let last = trained.count - 1
        return timesteps.map { timestep in
            let place = min(max(Double(timestep), 0), Double(last))
            let below = min(Int(place), max(last - 1, 0))
            let share = place - Double(below)
            return Float((1 - share) * trained[below] + share * trained[min(below + 1, last)])
        }
    }
}
