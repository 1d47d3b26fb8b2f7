import Tensors
import WeightFile

/// Chooses which products are not computed from 8-bit numbers, so that a component's error comes under its target at the
/// least price.
///
/// A product's cost is its own relative error, as a share of what it is added to. That orders products; what choices are
/// worth is measured on the whole component.
struct KeptLayers {
    /// A product and its ways of being stored, from the cheapest.
    struct Layer {
        let path: String
        let plans: [WeightPlan]
        /// Error of each plan.
        let errors: [Double]
        /// Share of its result in what that is added to, there and around.
        let share: Double
        /// Multiply-accumulates that were seen.
        let products: Double
        var chosen = 0

        func cost(_ choice: Int) -> Double { errors[choice] * errors[choice] * share * share }
        /// The first better plan that leaves little of the cost; the best, if none does.
        var better: Int? {
            guard plans.count > 1 else { return nil }
            return (1..<plans.count).first { cost($0) < 0.2 * cost(0) } ?? plans.count - 1
        }

        /// What a plan is worth for the time that it takes.
        func worth(_ choice: Int) -> Double {
            // Factors on inputs take little of a product's time.
            let share = plans[choice].activation == .scaled ? 0.05 : 1
            return (cost(0) - cost(choice)) / max(share * products, 1)
        }
    }

    private(set) var layers: [Layer]
    /// Better plans in the order in which they are chosen: what is worth most for its time comes first; at last come the best
    /// of all, where those were cheaper ones.
    private let order: [(layer: Int, choice: Int)]
    /// Measurements, at most, after one has shown that the target can be met.
    private static let rounds = 5
    /// Parts of what was chosen that are tried without, one after the other.
    private static let parts = 8

    init(_ layers: [Layer]) {
        self.layers = layers
        func sorted(_ choice: (Layer) -> Int?) -> [(layer: Int, choice: Int)] {
            layers.indices.compactMap { index -> (layer: Int, choice: Int, worth: Double)? in
                guard let choice = choice(layers[index]) else { return nil }
                return (index, choice, layers[index].worth(choice))
            }
            .sorted { ($1.worth, $0.layer) < ($0.worth, $1.layer) }.map { ($0.layer, $0.choice) }
        }
        order =
            sorted(\.better)
            + sorted { layer in layer.better.flatMap { $0 < layer.plans.count - 1 ? layer.plans.count - 1 : nil } }
    }

    /// Chooses as few better plans as will do, or all if none will.
    /// - Parameters:
    ///   - first: what was measured with none.
    ///   - error: of a measurement.
    ///   - refines: whether to measure some more, to find out which of them can be spared.
    ///   - measure: the component with the layers' chosen plans.
    /// - Returns: what was measured at last.
    mutating func reach<Measured>(
        _ target: Double, from first: Measured, refines: Bool, error: (Measured) -> Double,
        measure: ([Layer]) throws -> Measured
    ) throws -> Measured {
        guard !order.isEmpty else { return first }
        func measured(_ chosen: some Sequence<Int>) throws -> Measured { try measure(with(chosen)) }
        // Estimates tell where to begin.
        var (failing, count) = (0, estimate(target / error(first)))
        var last = try measured(0..<count)
        while error(last) > target, count < order.count {
            failing = count
            count = min(2 * count + 4, order.count)
            last = try measured(0..<count)
        }
        guard error(last) <= target else {
            layers = with(0..<count)
            return last
        }
        for _ in 0..<Self.rounds where count - failing > max(1, count / 16) {
            let middle = (failing + count) / 2
            let next = try measured(0..<middle)
            if error(next) <= target { (count, last) = (middle, next) } else { failing = middle }
        }
        var chosen = Array(0..<count)
        if refines {
            for part in (0..<Self.parts).reversed() {
                let spared = chosen.count * part / Self.parts..<chosen.count * (part + 1) / Self.parts
                guard !spared.isEmpty else { continue }
                let rest = chosen[..<spared.lowerBound] + chosen[spared.upperBound...]
                let next = try measured(rest)
                if error(next) <= target { (chosen, last) = (Array(rest), next) }
            }
        }
        layers = with(chosen)
        return last
    }

    private func with(_ chosen: some Sequence<Int>) -> [Layer] {
        var layers = layers
        for place in chosen { layers[order[place].layer].chosen = order[place].choice }
        return layers
    }

    /// How many plans bring the costs' sum down as far as the error has to come down.
    private func estimate(_ ratio: Double) -> Int {
        let all = layers.reduce(0) { $0 + $1.cost(0) }
        var sum = all
        for (count, upgrade) in order.enumerated() {
            guard sum > ratio * ratio * all else { return max(count, 1) }
            sum -= layers[upgrade.layer].cost(0) - layers[upgrade.layer].cost(upgrade.choice)
        }
        return order.count
    }
}

/// What products are added to.
struct ResidualShares {
    let judge: ProductJudge

    /// Share of a product's result in the stream that it ends up in.
    func share(_ path: String) -> Double {
        var share = own(path)
        // A transformer's stream is added to another one at its end.
        if let range = path.firstRange(of: ".transformer_blocks.") {
            share *= own(path[..<range.lowerBound] + ".proj_out.weight")
        }
        return share
    }

    /// Names of products, and of those that add to the stream what these make.
    private static let ends = [
        ".to_qkv.": ".to_out.0.", ".to_q.": ".to_out.0.", ".to_kv.": ".to_out.0.", ".ff.net.0.proj.": ".ff.net.2.",
        ".conv1.": ".conv2.", ".proj_in.": ".proj_out.", ".convs1.": ".convs2.", ".c_attn.": ".c_proj.",
        ".c_fc.": ".c_proj.", ".qkv.": ".proj.", ".fc1.": ".fc2.", ".wi.": ".wo.",
        ".SelfAttention.qkv.":
            ".SelfAttention.o.", ".self.qkv.": ".output.dense.", ".intermediate.dense.": ".output.dense.",
    ]

    private func own(_ path: some StringProtocol) -> Double {
        let path = String(path)
        if let record = judge.record(path), record.streamSquares > 0 { return record.share }
        for (name, end) in Self.ends.sorted(by: { $0.key.count > $1.key.count }) where path.contains(name) {
            if let record = judge.record(path.replacing(name, with: end)) { return record.share }
        }
        return 1
    }
}
