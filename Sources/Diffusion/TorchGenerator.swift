import Glibc

/// The normal numbers of PyTorch's CPU generator: `torch.Generator().manual_seed(seed)` and then `torch.randn(…)`.
///
/// Values agree bit for bit with PyTorch on x86 with AVX2 (its usual build); where PyTorch runs its scalar code, they
/// agree to 2e-6. Draws continue one stream, as calls with the same `generator=` do.
package struct TorchGenerator: Sendable {
    /// Numbers that PyTorch makes at once; shorter tensors are made one number at a time, in double precision.
    private static let block = 16

    private var bits: MersenneTwister
    /// The second number of the last pair that the one-at-a-time path made.
    private var cached: Double?

    /// PyTorch accepts 64 bits and seeds its Mersenne Twister with the lower 32.
    package init(seed: UInt64) {
        bits = MersenneTwister(seed: UInt32(truncatingIfNeeded: seed))
    }

    /// What `torch.randn` gives for a contiguous float32 tensor of `count` elements, in the tensor's own order: a
    /// latent is drawn as (batch, channels, time, frequency).
    package mutating func normal(count: Int) -> [Float] {
        guard count >= Self.block else {
            return (0..<max(count, 0)).map { _ in Float(nextNormal()) }
        }
        var values = (0..<count).map { _ in nextUniform() }
        for start in stride(from: 0, through: count - Self.block, by: Self.block) {
            boxMuller(&values, at: start)
        }
        // The last, incomplete block is drawn anew together with the numbers before it.
        if count % Self.block != 0 {
            let start = count - Self.block
            for index in start..<count { values[index] = nextUniform() }
            boxMuller(&values, at: start)
        }
        return values
    }

    /// In 0 ..< 1, with 24 bits.
    private mutating func nextUniform() -> Float {
        Float(bits.next() & 0xff_ffff) * 0x1p-24
    }

    /// In 0 ..< 1, with 53 bits.
    private mutating func nextUniformDouble() -> Double {
        let high = UInt64(bits.next())
        let low = UInt64(bits.next())
        return Double((high << 32 | low) & 0x1f_ffff_ffff_ffff) * 0x1p-53
    }

    private mutating func nextNormal() -> Double {
        if let value = cached {
            cached = nil
            return value
        }
        let angle = 2 * Double.pi * nextUniformDouble()
        let radius = (-2 * log1p(-nextUniformDouble())).squareRoot()
        cached = radius * sin(angle)
        return radius * cos(angle)
    }
}
