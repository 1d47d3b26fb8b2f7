import ArgumentParser
@preconcurrency import Foundation

/// Prints a line on standard error.
package func printNote(_ text: String) {
    FileHandle.standardError.write(Data((text + "\n").utf8))
}

/// Prints on standard error what a user should know and nothing has stopped for.
package func printWarning(_ text: String) { printNote("warning: " + text) }

/// Hands over what was printed.
/// - Throws: `ExitCode.failure`, after saying why, if standard output did not take all of it (a full disk).
package func finishOutput() throws {
    errno = 0
    guard fflush(stdout) != 0 || ferror(stdout) != 0 else { return }
    printNote("Error: standard output: cannot be written" + (errno == 0 ? "" : ": \(String(cString: strerror(errno)))"))
    throw ExitCode.failure
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
