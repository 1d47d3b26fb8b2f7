import Foundation

/// Writes pickles operation by operation, without the code under test.
struct PickleBuilder {
    var bytes: [UInt8] = [0x80, 2]

    mutating func op(_ codes: UInt8...) { bytes += codes }
    mutating func op(_ code: Character, _ operand: [UInt8] = []) { bytes += [code.asciiValue ?? 0] + operand }
    mutating func text(_ text: String) { op("X", UInt32(text.utf8.count).littleEndianBytes + Array(text.utf8)) }
    mutating func global(_ module: String, _ name: String) { op("c", Array("\(module)\n\(name)\n".utf8)) }

    mutating func int(_ value: Int) {
        // LONG1 of eight bytes holds any.
        bytes += [0x8A, 8] + Int64(value).littleEndianBytes
    }

    mutating func tuple(_ items: (inout PickleBuilder) -> Void) {
        op("(")
        items(&self)
        op("t")
    }

    mutating func ints(_ values: [Int]) { tuple { builder in for value in values { builder.int(value) } } }

    /// A reference to a storage.
    mutating func storage(_ key: String = "0", type: String = "FloatStorage", count: Int = 4) {
        tuple {
            $0.text("storage")
            $0.global("torch", type)
            $0.text(key)
            $0.text("cpu")
            $0.int(count)
        }
        op("Q")
    }

    /// A tensor, as `_rebuild_tensor_v2` makes it.
    mutating func tensor(
        _ shape: [Int] = [2, 2], strides: [Int] = [2, 1], offset: Int = 0, count: Int = 4, key: String = "0",
        type: String = "FloatStorage", function: String = "_rebuild_tensor_v2"
    ) {
        global("torch._utils", function)
        tuple {
            $0.storage(key, type: type, count: count)
            $0.int(offset)
            $0.ints(shape)
            $0.ints(strides)
            $0.op(0x89)
            $0.op("}")
        }
        op("R")
    }

    /// A whole pickle of a dictionary with one entry.
    static func dictionary(_ key: String = "w", _ value: (inout PickleBuilder) -> Void) -> [UInt8] {
        var builder = PickleBuilder()
        builder.op("}")
        builder.text(key)
        value(&builder)
        builder.op("s")
        builder.op(".")
        return builder.bytes
    }
}

/// Writes zip files as PyTorch does, right or wrong.
struct ZipBuilder {
    struct Record {
        var name: String
        var bytes: [UInt8]
        /// Lies, if not nil.
        var checksum: UInt32?
        var claimedSize: UInt64?
        var claimedOffset: UInt64?
        var method: UInt16 = 0
        var flags: UInt16 = 0
        var localName: String?
        /// Sizes and offset in a 64-bit field.
        var isLarge = false
    }

    var records: [Record] = []
    var claimedCount: UInt64?
    var claimedTableSize: UInt64?
    var claimedTableOffset: UInt64?
    /// Claims of the 64-bit end; nil without one.
    var largeEnd: (count: UInt64?, size: UInt64?, offset: UInt64?, place: UInt64?)?
    var comment: [UInt8] = []

    /// A file with one pickle and one storage of four floats.
    static func checkpoint(_ pickle: [UInt8], prefix: String = "archive/", storage: [UInt8]? = nil) -> ZipBuilder {
        ZipBuilder(records: [
            Record(name: prefix + "data.pkl", bytes: pickle),
            Record(name: prefix + "data/0", bytes: storage ?? floats),
        ])
    }

    static let floats = [1, 2, 3, 4].flatMap { (x: Float) in x.bitPattern.littleEndianBytes }

    func encoded() -> [UInt8] {
        var file: [UInt8] = []
        var table: [UInt8] = []
        for record in records {
            let offset = record.claimedOffset ?? UInt64(file.count)
            let size = record.claimedSize ?? UInt64(record.bytes.count)
            let checksum = record.checksum ?? Self.crc(record.bytes)
            let short =
                record.isLarge
                ? [UInt32.max, .max] : [UInt32(truncatingIfNeeded: size), UInt32(truncatingIfNeeded: size)]
            let extra =
                record.isLarge
                ? [1, 0, 24, 0] + size.littleEndianBytes + size.littleEndianBytes + offset.littleEndianBytes : []
            let fields =
                record.flags.littleEndianBytes + record.method.littleEndianBytes + [0, 0, 0, 0]
                + checksum.littleEndianBytes + short.flatMap(\.littleEndianBytes)
            let local = Array((record.localName ?? record.name).utf8)
            file += [0x50, 0x4B, 3, 4, 0, 0] + fields
            file += UInt16(local.count).littleEndianBytes + [0, 0] + local + record.bytes
            let name = Array(record.name.utf8)
            table += [0x50, 0x4B, 1, 2, 0, 0, 0, 0] + fields
            table += UInt16(name.count).littleEndianBytes + UInt16(extra.count).littleEndianBytes
            table += [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
            table += (record.isLarge ? UInt32.max : UInt32(truncatingIfNeeded: offset)).littleEndianBytes
            table += name + extra
        }
        return file + table + ends(count: UInt64(records.count), size: UInt64(table.count), offset: UInt64(file.count))
    }

    private func ends(count: UInt64, size: UInt64, offset: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        if let large = largeEnd {
            let counts = (large.count ?? count).littleEndianBytes
            bytes += [0x50, 0x4B, 6, 6] + UInt64(44).littleEndianBytes + Array(repeating: 0, count: 12)
            bytes += counts + counts + (large.size ?? size).littleEndianBytes
            bytes += (large.offset ?? offset).littleEndianBytes
            bytes += [0x50, 0x4B, 6, 7, 0, 0, 0, 0] + (large.place ?? offset + size).littleEndianBytes + [1, 0, 0, 0]
        }
        let short = UInt16(truncatingIfNeeded: claimedCount ?? count).littleEndianBytes
        bytes += [0x50, 0x4B, 5, 6, 0, 0, 0, 0] + short + short
        bytes += UInt32(truncatingIfNeeded: claimedTableSize ?? size).littleEndianBytes
        bytes += UInt32(truncatingIfNeeded: claimedTableOffset ?? offset).littleEndianBytes
        return bytes + UInt16(comment.count).littleEndianBytes + comment
    }

    /// Bit by bit, as the definition has it.
    static func crc(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(UInt32.max) { state, byte in
            (0..<8).reduce(state ^ UInt32(byte)) { value, _ in
                value & 1 == 1 ? (value >> 1) ^ 0xEDB8_8320 : value >> 1
            }
        }
    }
}
