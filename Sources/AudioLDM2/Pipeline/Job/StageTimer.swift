/// Wall time by stage.
struct StageTimer {
    private(set) var seconds: [GenerationProgress.Stage: Double] = [:]
    private let clock = ContinuousClock()

    mutating func add(_ stage: GenerationProgress.Stage, _ seconds: Double) {
        self.seconds[stage, default: 0] += seconds
    }

    /// Adds an equal part of what several sounds took together.
    mutating func add(_ other: StageTimer, sharedBy count: Int) {
        for (stage, seconds) in other.seconds { add(stage, seconds / Double(count)) }
    }

    mutating func measure<Result>(_ stage: GenerationProgress.Stage, _ body: () throws -> Result) rethrows -> Result {
        let start = clock.now
        defer { seconds[stage, default: 0] += (clock.now - start) / .seconds(1) }
        return try body()
    }
}
