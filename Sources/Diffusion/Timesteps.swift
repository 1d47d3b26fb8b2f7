extension TimestepSpacing {
    /// The training steps to visit, highest first, not yet rounded to whole numbers.
    /// - Parameters:
    ///   - steps: how many. With some numbers of steps, rounding makes trailing spacing in diffusers one longer, to −1.
    ///   - trainSteps: length of the training schedule.
    ///   - offset: added with leading spacing.
    ///   - withoutLast: spaces one timestep more and leaves out the last, as the multistep solvers do, which end at
    ///     zero noise. Of no effect with trailing spacing.
    func timesteps(_ steps: Int, of trainSteps: Int, offset: Int, withoutLast: Bool) -> [Double] {
        let count = withoutLast ? steps + 1 : steps
        let first = withoutLast ? 1 : 0
        switch self {
        case .leading:
            let ratio = trainSteps / count
            return (first..<count).reversed().map { Double($0 * ratio + offset) }
        case .linspace:
            let end = Double(trainSteps - 1)
            let step = end / Double(max(count - 1, 1))
            return (first..<count).reversed().map { count > 1 && $0 == count - 1 ? end : Double($0) * step }
        case .trailing:
            let step = Double(trainSteps) / Double(steps)
            return (0..<steps).map { (Double(trainSteps) - Double($0) * step).rounded(.toNearestOrEven) - 1 }
        }
    }
}

extension SchedulerConfig {
    /// Timesteps as whole numbers (halves to even).
    func wholeTimesteps(_ spacing: TimestepSpacing, steps: Int, withoutLast: Bool) -> [Int] {
        spacing.timesteps(steps, of: trainSteps, offset: stepsOffset, withoutLast: withoutLast)
            .map { Int($0.rounded(.toNearestOrEven)) }
    }
}
