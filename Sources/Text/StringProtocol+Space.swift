extension BidirectionalCollection where Element == Character {
    /// Without what is white space at either end.
    package var trimmed: String { trimmed(where: \.isWhitespace) }

    /// Without characters of a kind at either end.
    package func trimmed(where isOuter: (Character) -> Bool) -> String {
        let rest = drop(while: isOuter)
        guard let last = rest.lastIndex(where: { !isOuter($0) }) else { return "" }
        return String(rest[...last])
    }
}

extension String {
    /// Cut or filled with spaces to a number of characters.
    package func padded(to count: Int) -> String {
        let text = prefix(count)
        return text + String(repeating: " ", count: count - text.count)
    }
}
