/// Wall time by stage.
package struct StageTimer {
    package private(set) var seconds: [SoundProgress.Stage: Double] = [:]
    private let clock = ContinuousClock()

    package init() {}

    package mutating func add(_ stage: SoundProgress.Stage, _ seconds: Double) {
        self.seconds[stage, default: 0] += seconds
    }

    /// Adds an equal part of what several sounds took together.
    package mutating func add(_ other: StageTimer, sharedBy count: Int) {
        for (stage, seconds) in other.seconds { add(stage, seconds / Double(count)) }
    }

    package mutating func measure<Result>(_ stage: SoundProgress.Stage, _ body: () throws -> Result) rethrows -> Result
    {
        let start = clock.now
        defer { seconds[stage, default: 0] += (clock.now - start) / .seconds(1) }
        return try body()
    }
}
