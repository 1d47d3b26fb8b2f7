/// Reads numbers and runs of bytes one after another, never past the end: the common ground of the stored form and of
/// protocol buffers. All numbers are little-endian or variable-length (LEB128).
struct ByteReader {
    /// For messages.
    let file: String
    private let bytes: [UInt8]
    private let end: Int
    private(set) var offset: Int

    init(_ bytes: [UInt8], file: String) {
        self.init(bytes, range: 0..<bytes.count, file: file)
    }

    private init(_ bytes: [UInt8], range: Range<Int>, file: String) {
        self.bytes = bytes
        self.file = file
        offset = range.lowerBound
        end = range.upperBound
    }

    var isAtEnd: Bool { offset == end }
    var remaining: Int { end - offset }

    func malformed(_ reason: String) -> TokenizerError {
        .malformed(file: file, offset: offset, reason: reason)
    }

    mutating func byte() throws(TokenizerError) -> UInt8 {
        guard offset < end else { throw malformed("the file ends too early") }
        defer { offset += 1 }
        return bytes[offset]
    }

    mutating func varint() throws(TokenizerError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            let byte = try byte()
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        throw malformed("a number is longer than 64 bits")
    }

    /// A number that must not exceed `limit`.
    mutating func integer(atMost limit: Int) throws(TokenizerError) -> Int {
        let value = try varint()
        guard value <= UInt64(limit) else { throw malformed("\(value) is more than \(limit)") }
        return Int(value)
    }

    /// The number of elements that follow, each at least `elementSize` bytes: bounded by what is left.
    mutating func count(elementSize: Int) throws(TokenizerError) -> Int {
        let count = try varint()
        guard count <= UInt64(remaining / elementSize) else {
            throw malformed("\(count) elements do not fit in the file")
        }
        return Int(count)
    }

    mutating func fixed32() throws(TokenizerError) -> UInt32 {
        var value: UInt32 = 0
        for shift in stride(from: UInt32(0), to: 32, by: 8) { value |= UInt32(try byte()) << shift }
        return value
    }

    mutating func fixed64() throws(TokenizerError) -> UInt64 {
        let low = UInt64(try fixed32())
        return low | UInt64(try fixed32()) << 32
    }

    mutating func bytes(_ count: Int) throws(TokenizerError) -> ArraySlice<UInt8> {
        guard count <= remaining else { throw malformed("the file ends too early") }
        defer { offset += count }
        return bytes[offset..<offset + count]
    }

    /// A count, then so many bytes.
    mutating func run() throws(TokenizerError) -> ArraySlice<UInt8> {
        try bytes(try count(elementSize: 1))
    }

    /// A run that must be UTF-8.
    mutating func string() throws(TokenizerError) -> String {
        guard let string = String(validating: try run(), as: UTF8.self) else { throw malformed("text is not UTF-8") }
        return string
    }

    /// A run to be read on its own.
    mutating func nested() throws(TokenizerError) -> ByteReader {
        let run = try run()
        return ByteReader(bytes, range: run.startIndex..<run.endIndex, file: file)
    }
}

/// Writes what `ByteReader` reads.
struct ByteWriter {
    private(set) var bytes: [UInt8] = []

    mutating func byte(_ value: UInt8) { bytes.append(value) }

    mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    mutating func fixed64(_ value: UInt64) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) { bytes.append(UInt8(value >> shift & 0xFF)) }
    }

    mutating func raw(_ run: some Collection<UInt8>) { bytes.append(contentsOf: run) }

    mutating func run(_ run: some Collection<UInt8>) {
        varint(UInt64(run.count))
        raw(run)
    }
}
