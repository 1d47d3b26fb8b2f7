/// Where the lines of JSON end: at a line feed, which no JSON text holds in a string, or at a carriage return between two
/// objects, alone or before a line feed. Unicode's other ends of lines may stand in strings.
enum BatchLines {
    private static let mark: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// - Returns: all lines, without their ends; empty ones too.
    static func split(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        // Some editors begin UTF-8 with a mark.
        var start = bytes.starts(with: mark) ? mark.count : 0
        var place = start
        var (depth, isInString) = (0, false)
        func end(_ byteCount: Int) {
            lines.append(bytes[start..<place])
            place += byteCount
            start = place
            (depth, isInString) = (0, false)
        }
        while place < bytes.count {
            switch bytes[place] {
            case UInt8(ascii: "\n"): end(1)
            case UInt8(ascii: "\r") where bytes[place...].dropFirst().first == UInt8(ascii: "\n"): end(2)
            case UInt8(ascii: "\r") where depth == 0 && !isInString: end(1)
            case UInt8(ascii: "\\") where isInString:
                // The end of a line is one, whatever stands before it.
                let next = bytes[place...].dropFirst().first
                place += next == UInt8(ascii: "\n") || next == UInt8(ascii: "\r") ? 1 : 2
            case UInt8(ascii: "\""):
                isInString.toggle()
                place += 1
            case UInt8(ascii: "{") where !isInString:
                depth += 1
                place += 1
            case UInt8(ascii: "}") where !isInString:
                depth -= 1
                place += 1
            default: place += 1
            }
        }
        place = bytes.count
        if start < place { end(0) }
        return lines
    }
}
