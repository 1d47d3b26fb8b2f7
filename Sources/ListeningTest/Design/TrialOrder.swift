import Evaluation

/// In which order a rater hears the conditions of all items.
///
/// Rounds, each of all items in a random order; from round to round an item goes to its next condition, by a Latin square that
/// starts elsewhere for each rater. So in each round every condition comes as often as any other (give or take one), an item's
/// conditions are far apart, and over raters each condition of each item is heard as often as the others, and as early.
public struct TrialOrder: Sendable, Equatable {
    /// One sound to hear.
    public struct Trial: Sendable, Hashable {
        /// Number of the item, from 0.
        public let item: Int
        /// Number of the condition, from 0.
        public let condition: Int
    }

    /// All sounds that the rater hears, in order.
    public let trials: [Trial]

    /// - Parameters:
    ///   - items: at least one.
    ///   - conditions: at least one.
    ///   - rounds: of how many of the conditions the rater hears each item; all of them at most.
    ///   - rater: from 0.
    public init(items: Int, conditions: Int, rounds: Int, rater: Int, seed: UInt32) {
        // Of its own for each rater, and the same whatever others there are.
        var random = NumPyRandom(seed: seed &+ 7919 &* UInt32(truncatingIfNeeded: rater + 1))
        // The square's columns are shuffled for each block of raters in which every shift comes once.
        var shared = NumPyRandom(seed: seed &+ 104_729 &* UInt32(truncatingIfNeeded: rater / max(conditions, 1) + 1))
        let columns = shared.permutation(items)
        let steps = shared.permutation(conditions)
        let shift = rater % max(conditions, 1)
        var trials: [Trial] = []
        for round in 0..<min(rounds, conditions) {
            var order = random.permutation(items)
            // No item twice in a row.
            if let last = trials.last?.item, order.first == last, items > 1 {
                order.swapAt(0, 1 + Int(random.uniform() * Double(items - 1)))
            }
            trials += order.map { item in
                Trial(item: item, condition: steps[(columns[item] + round + shift) % conditions])
            }
        }
        self.trials = trials
    }
}
