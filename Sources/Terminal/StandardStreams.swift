import Foundation

/// Prints a line on standard error.
package func printNote(_ text: String) {
    FileHandle.standardError.write(Data((text + "\n").utf8))
}

/// A value as JSON for programs: sorted keys, one object.
package func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
        positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return String(decoding: try encoder.encode(value), as: UTF8.self)
}

/// Bytes for people: "12.3 MB".
package func megabytes(_ bytes: Int) -> String { String(format: "%.1f MB", Double(bytes) / 1e6) }
