/// Compression for pictures: the fixed codes of RFC 1951, and of its matches only the repeated byte. Margins vanish, and
/// spectrograms are noise that a better compressor would not shrink by much.
struct Deflate {
    private var bytes: [UInt8] = [0x78, 0x01]
    private var pending: UInt32 = 0
    private var pendingCount = 0

    private static let longestRun = 257

    /// A zlib stream (RFC 1950).
    static func zlib(_ input: [UInt8]) -> [UInt8] {
        var stream = Deflate()
        // The only block, with fixed codes.
        stream.append(0b011, count: 3)
        var index = 0
        while index < input.count {
            stream.appendLiteral(input[index])
            let end = min(input.count, index + 1 + longestRun)
            let next = input[(index + 1)..<end].firstIndex { $0 != input[index] } ?? end
            let run = next - index - 1
            if run >= 3 { stream.appendRun(run) }
            index = run >= 3 ? next : index + 1
        }
        stream.appendCode(0, count: 7)
        stream.flush()
        return stream.bytes + withUnsafeBytes(of: adler(input).bigEndian, Array.init)
    }

    private mutating func appendLiteral(_ byte: UInt8) {
        if byte < 144 { appendCode(0x30 + UInt32(byte), count: 8) } else { appendCode(0x100 + UInt32(byte), count: 9) }
    }

    /// The byte before, `length` times more: 3…257.
    private mutating func appendRun(_ length: Int) {
        let rest = UInt32(length - 3)
        let extraCount = rest < 8 ? 0 : 29 - rest.leadingZeroBitCount
        let symbol = rest < 8 ? 257 + rest : 261 + 4 * UInt32(extraCount) + (rest >> UInt32(extraCount)) & 3
        if symbol < 280 { appendCode(symbol - 256, count: 7) } else { appendCode(0xC0 + symbol - 280, count: 8) }
        append(rest & (1 << UInt32(extraCount) - 1), count: extraCount)
        // A distance of 1.
        appendCode(0, count: 5)
    }

    /// Huffman codes start with their most significant bit.
    private mutating func appendCode(_ code: UInt32, count: Int) {
        for bit in (0..<count).reversed() { append((code >> UInt32(bit)) & 1, count: 1) }
    }

    private mutating func append(_ bits: UInt32, count: Int) {
        pending |= bits << UInt32(pendingCount)
        pendingCount += count
        while pendingCount >= 8 {
            bytes.append(UInt8(truncatingIfNeeded: pending))
            pending >>= 8
            pendingCount -= 8
        }
    }

    private mutating func flush() {
        if pendingCount > 0 { append(0, count: 8 - pendingCount) }
    }

    private static func adler(_ input: [UInt8]) -> UInt32 {
        var (a, b): (UInt32, UInt32) = (1, 0)
        for byte in input {
            a = (a + UInt32(byte)) % 65521
            b = (b + a) % 65521
        }
        return b << 16 | a
    }
}
