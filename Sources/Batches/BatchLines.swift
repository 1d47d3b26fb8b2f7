/// Bytes that come piece by piece, as lines of JSON. A line ends at a line feed, which no JSON text holds in a string, or at a
/// carriage return between two objects, alone or before a line feed. Unicode's other ends of lines may stand in strings.
package struct BatchLines {
    private static let mark: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// What has come and is in no line yet.
    private var bytes: [UInt8] = []
    private var isStarted = false
    /// Of `bytes`, how many have been looked at.
    private var place = 0
    private var depth = 0
    private var isInString = false

    package init() {}

    /// - Returns: all lines, without their ends; empty ones too.
    package static func split(_ bytes: [UInt8]) -> [[UInt8]] {
        var lines = BatchLines()
        return lines.take(bytes) + lines.end()
    }

    /// - Returns: the lines that are complete now, without their ends; empty ones too.
    package mutating func take(_ more: some Sequence<UInt8>) -> [[UInt8]] {
        bytes += more
        return complete(isLast: false)
    }

    /// - Returns: the rest.
    package mutating func end() -> [[UInt8]] {
        var lines = complete(isLast: true)
        if !bytes.isEmpty { lines.append(bytes) }
        bytes = []
        return lines
    }

    private mutating func complete(isLast: Bool) -> [[UInt8]] {
        // Some editors begin UTF-8 with a mark.
        if !isStarted {
            guard isLast || bytes.count >= Self.mark.count || !Self.mark.starts(with: bytes) else { return [] }
            if bytes.starts(with: Self.mark) { bytes.removeFirst(Self.mark.count) }
            isStarted = true
        }
        var lines: [[UInt8]] = []
        var start = 0
        // What some bytes mean depends on the next.
        while place < bytes.count, isLast || place + 1 < bytes.count || bytes[place] == UInt8(ascii: "\n") {
            let next = place + 1 < bytes.count ? bytes[place + 1] : nil
            switch bytes[place] {
            case UInt8(ascii: "\n"): end(1)
            case UInt8(ascii: "\r") where next == UInt8(ascii: "\n"): end(2)
            case UInt8(ascii: "\r") where depth == 0 && !isInString: end(1)
            case UInt8(ascii: "\\") where isInString:
                // The end of a line is one, whatever stands before it.
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
        func end(_ byteCount: Int) {
            lines.append(Array(bytes[start..<place]))
            place += byteCount
            start = place
            (depth, isInString) = (0, false)
        }
        bytes.removeFirst(start)
        place = min(place - start, bytes.count)
        return lines
    }
}
