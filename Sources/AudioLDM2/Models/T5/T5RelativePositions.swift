import Glibc
import Layers
import Tensors
import WeightFile

/// Learned biases for the distance between two tokens, in buckets that widen with the distance.
///
/// Raffel et al. 2020, section 2.1; transformers `T5Attention._relative_position_bucket`, bidirectional.
package struct T5RelativePositions: Sendable {
    private let table: Embedding
    private let buckets: Int
    private let maxDistance: Int
    private let heads: Int

    package init(_ config: T5Config, _ weights: WeightScope) throws {
        buckets = config.relativeAttentionNumBuckets
        maxDistance = config.maxDistance
        heads = config.numHeads
        table = try Embedding(buckets, heads, weights.preferring(.full))
    }

    /// `[heads, tokens, tokens]`, to be added to the scores.
    package func callAsFunction(tokens: Int, on backend: any Backend) throws -> Tensor {
        let byBucket = try table(Array(0..<buckets), on: backend).values()
        var bias = [Float](repeating: 0, count: heads * tokens * tokens)
        for query in 0..<tokens {
            for key in 0..<tokens {
                let bucket = bucket(of: key - query)
                for head in 0..<heads {
                    bias[(head * tokens + query) * tokens + key] = byBucket[bucket * heads + head]
                }
            }
        }
        return try backend.upload(bias, [heads, tokens, tokens])
    }

    /// Half of the buckets for keys behind the query, half for keys before it; of each half, the first half is exact
    /// and the rest logarithmic up to `maxDistance`.
    private func bucket(of distance: Int) -> Int {
        let perDirection = buckets / 2
        let exact = perDirection / 2
        let base = distance > 0 ? perDirection : 0
        let magnitude = abs(distance)
        if magnitude < exact { return base + magnitude }
        let ratio = log(Float(magnitude) / Float(exact)) / Float(log(Double(maxDistance) / Double(exact)))
        let logarithmic = exact + Int(ratio * Float(perDirection - exact))
        return base + min(logarithmic, perDirection - 1)
    }
}
