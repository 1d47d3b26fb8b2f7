import FoundationEssentials

/// Appends the index's little-endian fields.
struct ByteWriter {
    private(set) var bytes: [UInt8] = []

    mutating func append<Value: FixedWidthInteger>(_ value: Value) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// 32-bit length, then the bytes.
    mutating func append(_ data: some Collection<UInt8>) {
        append(UInt32(data.count))
        bytes.append(contentsOf: data)
    }

    mutating func append(_ string: String) { append(Array(string.utf8)) }
}

/// Reads what `ByteWriter` wrote, from bytes that nobody vouches for.
///
/// - Throws: every method throws `PackError.malformed`, naming the field, rather than read past the end.
struct ByteReader {
    let path: String
    private let bytes: [UInt8]
    private(set) var position = 0

    init(_ bytes: [UInt8], path: String) {
        self.bytes = bytes
        self.path = path
    }

    var remaining: Int { bytes.count - position }

    func malformed(_ field: String, _ reason: String) -> PackError {
        .malformed(path: path, field: field, reason: reason)
    }

    mutating func integer<Value: FixedWidthInteger>(_ field: String, as type: Value.Type = Value.self) throws -> Value {
        let size = MemoryLayout<Value>.size
        let value = try take(size, field).withUnsafeBytes { $0.loadUnaligned(as: Value.self) }
        return Value(littleEndian: value)
    }

    /// A number of items that take at least `minimumBytes` each, so that it cannot exceed what the index holds.
    mutating func count(_ field: String, minimumBytes: Int) throws -> Int {
        let count = Int(try integer(field, as: UInt32.self))
        guard count <= remaining / minimumBytes else {
            throw malformed(field, "\(count) items of at least \(minimumBytes) bytes in \(remaining) bytes")
        }
        return count
    }

    mutating func data(_ field: String) throws -> Data {
        let length = Int(try integer(field, as: UInt32.self))
        return Data(try take(length, field))
    }

    mutating func string(_ field: String) throws -> String {
        let length = Int(try integer(field, as: UInt32.self))
        guard let string = String(validating: try take(length, field), as: UTF8.self) else {
            throw malformed(field, "not UTF-8")
        }
        return string
    }

    /// A string that names something: not empty.
    mutating func name(_ field: String) throws -> String {
        let name = try string(field)
        guard !name.isEmpty else { throw malformed(field, "empty name") }
        return name
    }

    private mutating func take(_ count: Int, _ field: String) throws -> ArraySlice<UInt8> {
        guard count <= remaining else {
            throw malformed(field, "\(count) bytes at byte \(position) of an index of \(bytes.count)")
        }
        defer { position += count }
        return bytes[position..<position + count]
    }
}
