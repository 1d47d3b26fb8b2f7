/// The checksum of zip records: CRC-32 of ISO 3309, eight bytes a step (Kounavis & Berry 2005, "slicing-by-8").
struct CRC32 {
    private var state: UInt32 = .max

    var value: UInt32 { ~state }

    /// Table `k` at `256 k`: the remainder of a byte that `k` zero bytes follow.
    private static let tables: [UInt32] = {
        let polynomial: UInt32 = 0xEDB8_8320
        var tables: [UInt32] = []
        for byte in 0..<UInt32(256) {
            var remainder = byte
            for _ in 0..<8 { remainder = (remainder >> 1) ^ (remainder & 1 == 1 ? polynomial : 0) }
            tables.append(remainder)
        }
        for index in 256..<8 * 256 {
            let previous = tables[index - 256]
            tables.append(tables[Int(previous & 0xFF)] ^ (previous >> 8))
        }
        return tables
    }()

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        Self.tables.withUnsafeBufferPointer { tables in
            var state = state
            var place = 0
            while place + 8 <= bytes.count {
                let low = bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self) ^ state
                let high = bytes.loadUnaligned(fromByteOffset: place + 4, as: UInt32.self)
                state = 0
                for byte in 0..<4 {
                    let shift = UInt32(8 * byte)
                    state ^= tables[Int(low >> shift & 0xFF) + 256 * (7 - byte)]
                    state ^= tables[Int(high >> shift & 0xFF) + 256 * (3 - byte)]
                }
                place += 8
            }
            for byte in bytes[place...] { state = tables[Int((state ^ UInt32(byte)) & 0xFF)] ^ (state >> 8) }
            self.state = state
        }
    }
}

extension InputFile {
    /// CRC-32 of a range of the file, read a block at a time.
    func checksum(_ range: Range<Int>) throws -> UInt32 {
        var checksum = CRC32()
        try withUnsafeTemporaryAllocation(byteCount: min(range.count, 1 << 18), alignment: 16) { block in
            for first in stride(from: range.lowerBound, to: range.upperBound, by: max(block.count, 1)) {
                let count = min(block.count, range.upperBound - first)
                let bytes = UnsafeMutableRawBufferPointer(rebasing: block[..<count])
                try read(at: first, into: bytes)
                checksum.update(UnsafeRawBufferPointer(bytes))
            }
        }
        return checksum.value
    }
}
