import Diffusion

/// The random numbers of NumPy's `RandomState` (MT19937 and masked rejection), which the reference packages draw their subsets
/// from: the same seed draws the same.
public struct NumPyRandom: Sendable {
    private var twister: MersenneTwister

    /// The generator of `RandomState(seed)`.
    public init(seed: UInt32) { twister = MersenneTwister(seed: seed) }

    /// A number from 0 through `most`, each as likely: `random_interval`.
    package mutating func interval(_ most: Int) -> Int {
        guard most > 0 else { return 0 }
        let mask = (UInt32(1) << UInt32(Int.bitWidth - most.leadingZeroBitCount)) &- 1
        while true {
            let value = Int(twister.next() & mask)
            if value <= most { return value }
        }
    }

    /// `choice(count, size)`, with replacement.
    package mutating func choice(of count: Int, size: Int) -> [Int] { (0..<size).map { _ in interval(count - 1) } }

    /// `permutation(count)`
    public mutating func permutation(_ count: Int) -> [Int] {
        var order = Array(0..<count)
        for place in stride(from: count - 1, to: 0, by: -1) { order.swapAt(place, interval(place)) }
        return order
    }

    /// `choice(count, size, replace=False)`
    package mutating func sample(of count: Int, size: Int) -> [Int] { Array(permutation(count).prefix(size)) }

    /// A number in 0..<1 with 53 random bits: `random_sample`.
    public mutating func uniform() -> Double {
        let (high, low) = (twister.next() >> 5, twister.next() >> 6)
        return (Double(high) * 67_108_864 + Double(low)) / 9_007_199_254_740_992
    }
}
