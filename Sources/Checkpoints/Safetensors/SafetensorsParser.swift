/// Reads the JSON of a safetensors table, and nothing else: an object of objects of known fields.
///
/// A general JSON reader would accept what the format forbids (duplicate keys, fractional offsets) and build a tree of a
/// hostile file first. Nesting is fixed here, so there is no recursion.
struct SafetensorsParser {
    /// One entry, as written.
    struct Tensor {
        var key: String
        var type = ""
        var shape: [Int] = []
        var begin = 0
        var end = 0
    }

    struct Table {
        var tensors: [Tensor] = []
        var metadata: [String: String] = [:]
    }

    private let bytes: [UInt8]
    private let file: String
    private var position = 0

    init(_ bytes: [UInt8], file: String) {
        self.bytes = bytes
        self.file = file
    }

    /// - Throws: `CheckpointError.malformed` or `.invalidTensor`.
    mutating func parse() throws -> Table {
        var table = Table()
        try object { parser, key in
            if key == "__metadata__" {
                try parser.object { parser, name in table.metadata[name] = try parser.string() }
            } else {
                table.tensors.append(try parser.tensor(key))
            }
        }
        skipSpace()
        guard position == bytes.count else { throw malformed("text after the table") }
        return table
    }

    private mutating func tensor(_ key: String) throws -> Tensor {
        var tensor = Tensor(key: key)
        var missing: Set = ["dtype", "shape", "data_offsets"]
        try object { parser, field in
            guard missing.remove(field) != nil else {
                throw parser.invalid(key, "has the unknown or repeated field \(field.quoted)")
            }
            switch field {
            case "dtype": tensor.type = try parser.string()
            case "shape": tensor.shape = try parser.integers()
            default:
                let offsets = try parser.integers()
                guard offsets.count == 2 else { throw parser.invalid(key, "needs two data_offsets") }
                (tensor.begin, tensor.end) = (offsets[0], offsets[1])
            }
        }
        guard missing.isEmpty else { throw invalid(key, "lacks \(missing.sorted().joined(separator: ", "))") }
        return tensor
    }

    // MARK: JSON

    /// `{ "name": value, … }`, where `value` reads the value of a name.
    private mutating func object(_ value: (inout SafetensorsParser, String) throws -> Void) throws {
        try expect(UInt8(ascii: "{"))
        guard !accept(UInt8(ascii: "}")) else { return }
        repeat {
            let name = try string()
            try expect(UInt8(ascii: ":"))
            try value(&self, name)
        } while accept(UInt8(ascii: ","))
        try expect(UInt8(ascii: "}"))
    }

    private mutating func integers() throws -> [Int] {
        try expect(UInt8(ascii: "["))
        guard !accept(UInt8(ascii: "]")) else { return [] }
        var values: [Int] = []
        repeat { values.append(try integer()) } while accept(UInt8(ascii: ","))
        try expect(UInt8(ascii: "]"))
        return values
    }

    private mutating func integer() throws -> Int {
        skipSpace()
        let start = position
        var value = 0
        while position < bytes.count, case let digit = Int(bytes[position]) - 48, (0...9).contains(digit) {
            let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tens.addingReportingOverflow(digit)
            guard !overflow, !carry else { throw malformed("a number that is too large") }
            value = sum
            position += 1
        }
        guard position > start else { throw malformed("no whole number where one belongs") }
        return value
    }

    private mutating func string() throws -> String {
        try expect(UInt8(ascii: "\""))
        var text: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else {
                    throw malformed("a name that is not UTF-8")
                }
                return string
            case UInt8(ascii: "\\"): text += try escape()
            case 0..<0x20: throw malformed("a control character in a name")
            default: text.append(byte)
            }
        }
        throw malformed("a name without an end")
    }

    /// What follows a backslash, as UTF-8.
    private mutating func escape() throws -> [UInt8] {
        guard position < bytes.count else { throw malformed("a name without an end") }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [8]
        case UInt8(ascii: "f"): return [12]
        case UInt8(ascii: "n"): return [10]
        case UInt8(ascii: "r"): return [13]
        case UInt8(ascii: "t"): return [9]
        case UInt8(ascii: "u"): return try unicodeEscape()
        default: throw malformed("an unknown escape in a name")
        }
    }

    /// The digits of `\uXXXX`, with the second half of a surrogate pair if the first is one.
    private mutating func unicodeEscape() throws -> [UInt8] {
        var units = [try hexadecimalUnit()]
        if UTF16.isLeadSurrogate(units[0]), bytes[position...].starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "u")]) {
            position += 2
            units.append(try hexadecimalUnit())
        }
        guard let text = String(validating: units, as: UTF16.self) else {
            throw malformed("half a surrogate pair in a name")
        }
        return Array(text.utf8)
    }

    private mutating func hexadecimalUnit() throws -> UInt16 {
        let digits = bytes[position...].prefix(4)
        guard digits.count == 4, digits.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }),
            let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw malformed("a wrong \\u escape in a name") }
        position += 4
        return unit
    }

    private mutating func skipSpace() {
        while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
    }

    private mutating func accept(_ byte: UInt8) -> Bool {
        skipSpace()
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ byte: UInt8) throws {
        guard accept(byte) else { throw malformed("no '\(Character(UnicodeScalar(byte)))' where one belongs") }
    }

    private func malformed(_ reason: String) -> CheckpointError {
        .malformed(file: file, reason: "not a safetensors file: \(reason) (byte \(8 + position))")
    }

    private func invalid(_ key: String, _ reason: String) -> CheckpointError {
        .invalidTensor(file: file, tensor: key, reason: reason)
    }
}
