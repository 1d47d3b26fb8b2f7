/// JSON as Python's `json` writes it: with `NaN`, `Infinity` and `-Infinity`, which RFC 8259 does not know.
package enum PythonJSON {
    private static let names = ["NaN", "Infinity", "-Infinity"].map { Array($0.utf8) }

    /// The same document with these numbers as strings of the same letters, which readers of JSON take, and which no field
    /// of a number accepts; everything else as it is.
    package static func standard(_ bytes: [UInt8]) -> [UInt8] {
        let (quote, backslash) = (UInt8(ascii: "\""), UInt8(ascii: "\\"))
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var isInString = false
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if isInString {
                let length = byte == backslash ? min(2, bytes.count - index) : 1
                isInString = byte != quote
                result += bytes[index..<index + length]
                index += length
            } else if let name = names.first(where: { bytes[index...].starts(with: $0) }) {
                result += [quote] + name + [quote]
                index += name.count
            } else {
                isInString = byte == quote
                result.append(byte)
                index += 1
            }
        }
        return result
    }
}
