import Diffusion
import TestSupport
import Testing

@Suite("Random numbers of PyTorch's CPU generator")
struct TorchGeneratorTests {
    private struct Draws: Decodable {
        let seed: String
        let counts: [Int]
        let digest: String
        let values: [Float]?
    }

    @Test("torch.randn of many sizes, seeds and consecutive calls, bit for bit")
    func equalsPyTorch() throws {
        let cases = try Fixtures.json("Diffusion", "randn.json", as: [Draws].self)
        #expect(cases.count == 50)
        for draws in cases {
            var generator = TorchGenerator(seed: try #require(UInt64(draws.seed)))
            let values = draws.counts.flatMap { generator.normal(count: $0) }
            if let expected = draws.values { #expect(values == expected, "seed \(draws.seed), \(draws.counts)") }
            #expect(digest(values) == draws.digest, "seed \(draws.seed), \(draws.counts)")
        }
    }

    @Test("only the lower 32 bits of a seed count")
    func seedBits() {
        var low = TorchGenerator(seed: 5)
        var high = TorchGenerator(seed: 5 + 1 << 32)
        var other = TorchGenerator(seed: 6)
        let values = low.normal(count: 100)
        #expect(high.normal(count: 100) == values)
        #expect(other.normal(count: 100) != values)
    }

    @Test("nothing is drawn for no elements")
    func empty() {
        var generator = TorchGenerator(seed: 3)
        #expect(generator.normal(count: 0).isEmpty)
        #expect(generator.normal(count: -4).isEmpty)
        var fresh = TorchGenerator(seed: 3)
        #expect(generator.normal(count: 40) == fresh.normal(count: 40))
    }

    /// FNV-1a over the bytes, as the script computes it; adding 0 makes −0 a plain zero.
    private func digest(_ values: [Float]) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for value in values {
            withUnsafeBytes(of: (value + 0).bitPattern.littleEndian) { bytes in
                for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
            }
        }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
