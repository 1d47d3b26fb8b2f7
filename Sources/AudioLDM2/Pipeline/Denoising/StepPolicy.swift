/// Which steps of a diffusion loop evaluate the whole denoiser; at the others only its highest levels work.
///
/// A fixed policy for a number of steps, found by a search over what it costs a model's sounds, and not by thresholds that
/// are looked at while a sound is made: the same seed makes the same sound wherever it runs.
package struct StepPolicy: Sendable, Hashable {
    /// Of the first step to the last: whether it is whole. The first is.
    package let steps: [Bool]
    /// Levels of the UNet, from the highest, that work at steps that are not whole.
    package let depth: Int

    package init(steps: [Bool], depth: Int = 1) {
        self.steps = steps
        self.depth = depth
    }

    /// Of `SoundOptions.Quality.fast`. With the model that ships it is as near to the solution as all eleven are whole, nearly.
    package static let fast = StepPolicy(steps: "w-wwwwwwww-".map { $0 == "w" })

    /// Of `SoundOptions.Quality.faster`, for models that say nothing.
    package static let faster = StepPolicy(steps: "wwwwwww-".map { $0 == "w" })

    /// - Parameter letters: one for each step, "w" for a whole one and "-" for another.
    /// - Returns: nil for other letters, and where the first step is not whole.
    package init?(_ letters: String, depth: Int = 1) {
        guard letters.first == "w", letters.allSatisfy({ $0 == "w" || $0 == "-" }) else { return nil }
        self.init(steps: letters.map { $0 == "w" }, depth: depth)
    }

    package var letters: String { String(steps.map { $0 ? "w" : "-" }) }

    /// The same for a loop of another number of steps: each does what the step at its share of the way does.
    package func stretched(to count: Int) -> StepPolicy {
        guard count != steps.count, let last = steps.indices.last else { return self }
        let stretched = (0..<count).map { index in
            index == 0 || steps[count > 1 ? (index * last + (count - 1) / 2) / (count - 1) : 0]
        }
        return StepPolicy(steps: stretched, depth: depth)
    }

    /// The policy of a run that finds out what memory is needed: enough whole steps to keep as much as ever, then one that
    /// carries them on.
    package var forPlanning: StepPolicy { StepPolicy(steps: [true, true, true, false], depth: depth) }
}
