import ListeningTest
import Testing

@Suite struct TrialOrderTests {
    /// Over as many raters as there are conditions, everything is heard equally often, and equally early.
    @Test(arguments: [(8, 4, 4), (9, 3, 2), (5, 5, 1), (1, 3, 3), (12, 2, 2)])
    func conditionsAreBalanced(_ items: Int, _ conditions: Int, _ rounds: Int) {
        var heard: [TrialOrder.Trial: Int] = [:]
        var byRound = [[Int]](repeating: Array(repeating: 0, count: conditions), count: rounds)
        for rater in 0..<2 * conditions {
            let trials = TrialOrder(items: items, conditions: conditions, rounds: rounds, rater: rater, seed: 4).trials
            #expect(trials.count == items * rounds && Set(trials).count == trials.count)
            for (place, trial) in trials.enumerated() {
                heard[trial, default: 0] += 1
                byRound[place / items][trial.condition] += 1
            }
            for (a, b) in zip(trials, trials.dropFirst()) where items > 1 { #expect(a.item != b.item) }
            // Within a round too, give or take one.
            for round in 0..<rounds {
                let part = trials[round * items..<(round + 1) * items]
                let counts = (0..<conditions).map { condition in part.count { $0.condition == condition } }
                #expect((counts.max() ?? 0) - (counts.min() ?? 0) <= 1)
            }
        }
        #expect(heard.count == items * conditions && heard.values.allSatisfy { $0 == 2 * rounds })
        #expect(byRound.allSatisfy { $0.allSatisfy { $0 == 2 * items } })
    }

    @Test func ratersHaveOrdersOfTheirOwn() {
        func order(_ rater: Int, _ seed: UInt32) -> TrialOrder {
            TrialOrder(items: 10, conditions: 3, rounds: 3, rater: rater, seed: seed)
        }
        #expect(order(1, 1) == order(1, 1))
        #expect(order(1, 1) != order(2, 1) && order(1, 1) != order(1, 2))
    }
}
