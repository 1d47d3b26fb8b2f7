/// A key with `*` for any run of characters, dots included: `*.attn.masked_bias`.
package struct KeyPattern: Hashable, Sendable, ExpressibleByStringLiteral {
    /// What stands between the stars; at least one.
    private let literals: [String]

    package init(_ text: String) {
        literals = text.split(separator: "*", omittingEmptySubsequences: false).map(String.init)
    }

    package init(stringLiteral text: String) { self.init(text) }

    /// What the stars stand for in `key`, each as short as possible from the left; nil if the key does not match.
    package func match(_ key: String) -> [String]? {
        guard literals.count > 1 else { return key == literals[0] ? [] : nil }
        guard key.hasPrefix(literals[0]) else { return nil }
        var rest = key.dropFirst(literals[0].count)
        var captures: [String] = []
        for literal in literals.dropFirst().dropLast() {
            guard let range = rest.firstRange(of: literal) else { return nil }
            captures.append(String(rest[..<range.lowerBound]))
            rest = rest[range.upperBound...]
        }
        let last = literals[literals.count - 1]
        guard rest.hasSuffix(last) else { return nil }
        return captures + [String(rest.dropLast(last.count))]
    }

    package func matches(_ key: String) -> Bool { match(key) != nil }

    /// The key in which the stars stand for `captures`: as many as there are stars.
    package func filled(with captures: [String]) -> String {
        zip(literals.dropFirst(), captures).reduce(literals[0]) { $0 + $1.1 + $1.0 }
    }
}
