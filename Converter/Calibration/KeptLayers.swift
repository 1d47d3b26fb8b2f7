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
        var cost: Double { cost(chosen) }

        /// The first better plan that leaves little of the cost, or the best.
        var better: Int? {
            guard chosen + 1 < plans.count else { return nil }
            return (chosen + 1..<plans.count).first { cost($0) < 0.2 * cost } ?? plans.count - 1
        }
    }

    private(set) var layers: [Layer]
    /// So many times the whole component is measured.
    private static let rounds = 10
    /// Of the target, to leave room for what estimates miss.
    private static let margin = 0.97

    init(_ layers: [Layer]) { self.layers = layers }

    /// - Parameters:
    ///   - error: of the component as it is.
    ///   - measure: the component's error with the layers' chosen plans.
    /// - Returns: the component's error at the end.
    mutating func reach<Measured>(
        _ target: Double, from first: Measured, error: (Measured) -> Double, measure: ([Layer]) throws -> Measured
    ) throws -> Measured {
        var measured = first
        for _ in 0..<Self.rounds where error(measured) > target {
            let ratio = Self.margin * target / error(measured)
            let part = ratio.isFinite ? ratio * ratio : 0
            guard upgrade(to: part * layers.reduce(0) { $0 + $1.cost }) else { break }
            measured = try measure(layers)
        }
        return measured
    }

    /// Chooses better plans where that is worth most for its time, until the costs' sum is small enough.
    /// - Returns: false if nothing is left to choose.
    private mutating func upgrade(to goal: Double) -> Bool {
        var sum = layers.reduce(0) { $0 + $1.cost }
        var changed = false
        let order = layers.indices.compactMap { index -> (index: Int, worth: Double)? in
            let layer = layers[index]
            guard let better = layer.better else { return nil }
            return (index, (layer.cost - layer.cost(better)) / max(layer.products, 1))
        }.sorted { ($1.worth, $0.index) < ($0.worth, $1.index) }
        for (index, _) in order {
            if changed, sum <= goal { break }
            guard let better = layers[index].better else { continue }
            sum -= layers[index].cost
            layers[index].chosen = better
            sum += layers[index].cost
            changed = true
        }
        return changed
    }
}

/// What products are added to.
struct ResidualShares {
    let judge: ProductJudge

    /// Share of a product's result in the stream that it ends up in.
    func share(_ path: String) -> Double {
        var share = own(path)
        // A transformer's stream is added to another one at its end.
        if let range = path.range(of: ".transformer_blocks.") {
            share *= own(path[..<range.lowerBound] + ".proj_out.weight")
        }
        return share
    }

    /// Names of products, and of those that add to the stream what these make.
    private static let ends = [
        ".to_qkv.": ".to_out.0.", ".to_q.": ".to_out.0.", ".to_kv.": ".to_out.0.", ".ff.net.0.proj.": ".ff.net.2.",
        ".conv1.": ".conv2.", ".proj_in.": ".proj_out.", ".convs1.": ".convs2.", ".c_attn.": ".c_proj.",
        ".c_fc.": ".c_proj.", ".qkv.": ".proj.", ".fc1.": ".fc2.", ".wi.": ".wo.", ".SelfAttention.qkv.":
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
