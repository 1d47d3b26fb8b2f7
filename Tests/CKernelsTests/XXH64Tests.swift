import CKernels
import Testing

@Suite struct XXH64Tests {
    struct Vector {
        let length: Int
        let seed: UInt64
        let hash: UInt64
    }

    /// The seed and first state of xxHash's own sanity checks.
    static let prime32: UInt64 = 2_654_435_761

    /// Published in xxHash's `cli/xsum_sanity_check.c`.
    static let vectors = [
        Vector(length: 0, seed: 0, hash: 0xEF46_DB37_51D8_E999),
        Vector(length: 0, seed: prime32, hash: 0xAC75_FDA2_929B_17EF),
        Vector(length: 1, seed: 0, hash: 0xE934_A84A_DB05_2768),
        Vector(length: 1, seed: prime32, hash: 0x5014_6076_43A9_B4C3),
        Vector(length: 4, seed: 0, hash: 0x9136_A0DC_A574_57EE),
        Vector(length: 14, seed: 0, hash: 0x8282_DCC4_994E_35C8),
        Vector(length: 14, seed: prime32, hash: 0xC3BD_6BF6_3DEB_6DF0),
        Vector(length: 222, seed: 0, hash: 0xB641_AE8C_B691_C174),
        Vector(length: 222, seed: prime32, hash: 0x20CB_8AB7_AE10_C14A),
    ]

    /// The bytes that those checks hash: the top byte of a product that grows by a 64-bit prime each time.
    static func sanityBytes(_ count: Int) -> [UInt8] {
        var state = prime32
        return (0..<count).map { _ in
            defer { state = state &* 11_400_714_785_074_694_797 }
            return UInt8(state >> 56)
        }
    }

    static func hash(_ bytes: [UInt8], seed: UInt64 = 0) -> UInt64 {
        bytes.withUnsafeBytes { kernels_xxh64($0.baseAddress, $0.count, seed) }
    }

    @Test(arguments: vectors)
    func publishedVectors(vector: Vector) {
        #expect(Self.hash(Self.sanityBytes(vector.length), seed: vector.seed) == vector.hash)
    }

    /// From the manual of python-xxhash.
    @Test func publishedStrings() {
        #expect(Self.hash(Array("xxhash".utf8)) == 0x32DD_3895_2C4B_C720)
        #expect(Self.hash(Array("xxhash".utf8), seed: 20_141_025) == 0xB559_B98D_844E_0635)
        #expect(Self.hash(Array("Nobody inspects the spammish repetition".utf8)) == 0xFBCE_A83C_8A37_8BF1)
    }

    @Test func alignmentDoesNotMatter() {
        let bytes = Self.sanityBytes(100)
        for length in 0...90 {
            let expected = Self.hash(Array(bytes[..<length]))
            let padded: [UInt8] = [0] + bytes[..<length]
            let shifted = padded.withUnsafeBytes { kernels_xxh64($0.baseAddress.map { $0 + 1 }, length, 0) }
            #expect(shifted == expected)
        }
    }
}
