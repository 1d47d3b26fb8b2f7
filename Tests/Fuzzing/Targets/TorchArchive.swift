/// A zip file as PyTorch writes it, around a pickle that may say anything and two storages, of 64 and of 256 bytes.
enum TorchArchive {
    static func encoded(pickle: [UInt8]) -> [UInt8] {
        var file: [UInt8] = []
        var table: [UInt8] = []
        let records = [("a/data.pkl", pickle, checksum(pickle))] + storages
        for (name, bytes, checksum) in records {
            let name = Array(name.utf8)
            let fields =
                number(0, 2) + number(0, 2) + number(0, 4) + number(checksum, 4) + number(UInt32(bytes.count), 4)
                + number(UInt32(bytes.count), 4) + number(UInt32(name.count), 2) + number(0, 2)
            table += [0x50, 0x4B, 1, 2] + number(0, 4) + fields + number(0, 10) + number(UInt32(file.count), 4) + name
            file += [0x50, 0x4B, 3, 4] + number(0, 2) + fields + name + bytes
        }
        let counts = number(UInt32(records.count), 2)
        return file + table + [0x50, 0x4B, 5, 6] + number(0, 4) + counts + counts + number(UInt32(table.count), 4)
            + number(UInt32(file.count), 4) + number(0, 2)
    }

    private static let storages = [("a/data/0", 64), ("a/data/1", 256)].map { name, count in
        let bytes = (0..<count).map { UInt8($0) }
        return (name, bytes, checksum(bytes))
    }

    private static func number(_ value: UInt32, _ byteCount: Int) -> [UInt8] {
        (0..<byteCount).map { $0 < 4 ? UInt8(truncatingIfNeeded: value >> (8 * UInt32($0))) : 0 }
    }

    /// CRC-32 (ISO 3309), as zip has it.
    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(UInt32.max) { $0 >> 8 ^ table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] }
    }

    private static let table = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { value, _ in value >> 1 ^ (value & 1 == 1 ? 0xEDB8_8320 : 0) }
    }
}
