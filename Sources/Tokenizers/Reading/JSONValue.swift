import Text

/// A JSON document.
///
/// Foundation's parsers give dictionaries keyed by `String`, in which "é" composed and decomposed are one key; in a
/// vocabulary they are two tokens. Here an object keeps all of its members, in the order of the file.
enum JSONValue: Sendable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([Member])

    struct Member: Sendable {
        let key: String
        let value: JSONValue
    }

    /// - Parameter file: for messages.
    /// - Throws: `TokenizerError.malformed`.
    init(parsing bytes: [UInt8], file: String) throws(TokenizerError) {
        var parser = JSONParser(bytes, file: file)
        self = try parser.document()
    }
}

/// RFC 8259 by recursive descent, and the numbers beyond it that Python's `json` writes: `NaN`, `Infinity`, `-Infinity`.
private struct JSONParser {
    /// Tokenizer files nest about six deep.
    private static let maximumDepth = 64

    private let bytes: [UInt8]
    private let file: String
    private var offset = 0
    private var depth = 0

    init(_ bytes: [UInt8], file: String) {
        self.bytes = bytes
        self.file = file
    }

    mutating func document() throws(TokenizerError) -> JSONValue {
        let value = try value()
        skipSpace()
        guard offset == bytes.count else { throw malformed("there is more after the document") }
        return value
    }

    private func malformed(_ reason: String) -> TokenizerError {
        .malformed(file: file, offset: offset, reason: reason)
    }

    private var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private mutating func skipSpace() {
        while let byte = next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { offset += 1 }
    }

    /// Steps over a byte if it comes next.
    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        offset += 1
        return true
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(TokenizerError) {
        guard take(character) else { throw malformed("expected \(character)") }
    }

    private mutating func value() throws(TokenizerError) -> JSONValue {
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return .object(try nested { (self) throws(TokenizerError) in try self.members() })
        case UInt8(ascii: "["): return .array(try nested { (self) throws(TokenizerError) in try self.elements() })
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case UInt8(ascii: "N"): return try literal("NaN", .number(.nan))
        case UInt8(ascii: "I"): return try literal("Infinity", .number(.infinity))
        case UInt8(ascii: "-") where bytes[offset...].dropFirst().first == UInt8(ascii: "I"):
            return try literal("-Infinity", .number(-.infinity))
        default: return try number()
        }
    }

    private mutating func literal(_ text: String, _ value: JSONValue) throws(TokenizerError) -> JSONValue {
        guard bytes[offset...].starts(with: text.utf8) else { throw malformed("expected \(text)") }
        offset += text.utf8.count
        return value
    }

    private mutating func nested<Result>(
        _ body: (inout JSONParser) throws(TokenizerError) -> Result
    ) throws(TokenizerError) -> Result {
        guard depth < Self.maximumDepth else { throw malformed("nested more than \(Self.maximumDepth) deep") }
        depth += 1
        defer { depth -= 1 }
        offset += 1
        return try body(&self)
    }

    private mutating func members() throws(TokenizerError) -> [JSONValue.Member] {
        var members: [JSONValue.Member] = []
        skipSpace()
        if take("}") { return members }
        repeat {
            skipSpace()
            let key = try string()
            skipSpace()
            try expect(":")
            members.append(JSONValue.Member(key: key, value: try value()))
            skipSpace()
        } while take(",")
        try expect("}")
        return members
    }

    private mutating func elements() throws(TokenizerError) -> [JSONValue] {
        var elements: [JSONValue] = []
        skipSpace()
        if take("]") { return elements }
        repeat {
            elements.append(try value())
            skipSpace()
        } while take(",")
        try expect("]")
        return elements
    }
}

// MARK: Numbers and strings

extension JSONParser {
    fileprivate mutating func number() throws(TokenizerError) -> JSONValue {
        let start = offset
        _ = take("-")
        let leadsWithZero = next == UInt8(ascii: "0")
        let digits = skipDigits()
        guard digits > 0, !(leadsWithZero && digits > 1) else { throw malformed("expected a value") }
        var isInteger = true
        if take(".") {
            isInteger = false
            guard skipDigits() > 0 else { throw malformed("expected digits") }
        }
        if take("e") || take("E") {
            isInteger = false
            _ = take("+") || take("-")
            guard skipDigits() > 0 else { throw malformed("expected digits") }
        }
        let text = String(decoding: bytes[start..<offset], as: UTF8.self)
        if isInteger, let integer = Int(text) { return .integer(integer) }
        guard let number = Double(text) else { throw malformed("expected a number") }
        return .number(number)
    }

    private mutating func skipDigits() -> Int {
        let start = offset
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { offset += 1 }
        return offset - start
    }

    fileprivate mutating func string() throws(TokenizerError) -> String {
        try expect("\"")
        var content: [UInt8] = []
        while true {
            let start = offset
            while let byte = next, byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") { offset += 1 }
            content += bytes[start..<offset]
            if take("\"") { break }
            guard take("\\") else { throw malformed("a string is not closed") }
            content += try escape().utf8
        }
        guard let string = String(validating: content, as: UTF8.self) else { throw malformed("a string is not UTF-8") }
        return string
    }

    private mutating func escape() throws(TokenizerError) -> Unicode.Scalar {
        guard let byte = next else { throw malformed("a string is not closed") }
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try unicodeEscape()
        default: throw malformed("an escape is not known")
        }
    }

    /// `XXXX`, or `XXXX\uXXXX` for a pair of surrogates.
    private mutating func unicodeEscape() throws(TokenizerError) -> Unicode.Scalar {
        let first = try hexadecimal()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard UTF16.isLeadSurrogate(first), take("\\"), take("u") else { throw malformed("a surrogate has no partner") }
        let second = try hexadecimal()
        guard UTF16.isTrailSurrogate(second) else { throw malformed("a surrogate has no partner") }
        return UTF16.decode(UTF16.EncodedScalar([first, second]))
    }

    private mutating func hexadecimal() throws(TokenizerError) -> UInt16 {
        let digits = bytes[offset...].prefix(4)
        guard digits.count == 4, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
            let value = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw malformed("expected four hexadecimal digits") }
        offset += 4
        return value
    }
}
