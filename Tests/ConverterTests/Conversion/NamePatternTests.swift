import AudioLDM2Converter
import Testing

/// Patterns of layers' names, as Python's `re` has them: what they say of names was found by
///
///     python3 -c "import re; print(re.fullmatch(PATTERN, NAME) is not None)"
@Suite struct NamePatternTests {
    private static let names = [
        "", "a", "to_q", "mid.to_q", "mid.to_v", "h.0.attn", "h.12.attn", "aaaa", "aab", "a.b]", "A1_",
    ]

    @Test(arguments: [
        ("to_q", ["to_q"]), (".*to_(q|v)", ["to_q", "mid.to_q", "mid.to_v"]), ("(.*\\.)?(to_q)", ["to_q", "mid.to_q"]),
        ("h\\.\\d+\\.attn", ["h.0.attn", "h.12.attn"]), ("h.[0-9].attn", ["h.0.attn"]), ("a*", ["", "a", "aaaa"]),
        ("a{2,3}b?", ["aab"]), ("a{4}", ["aaaa"]), ("a{,1}", ["", "a"]), ("a{2,}", ["aaaa"]),
        ("(a|aa)+", ["a", "aaaa"]),
        ("^a$", ["a"]), ("a^", []), ("(a+)+$", ["a", "aaaa"]), ("[^.]*", ["", "a", "to_q", "aaaa", "aab", "A1_"]),
        ("[]a.b]+", ["a", "aaaa", "aab", "a.b]"]), ("\\w+", ["a", "to_q", "aaaa", "aab", "A1_"]),
        ("\\D\\d\\W?_", ["A1_"]),
        ("(?:a|)b?", ["", "a"]), ("a|b|to_q", ["a", "to_q"]), ("(|a)*", ["", "a", "aaaa"]), ("a.*?b", ["aab"]),
        ("a+?", ["a", "aaaa"]),
        ("", [""]), ("()", [""]), ("[a-c\\.\\]]*", ["", "a", "aaaa", "aab", "a.b]"]),
    ])
    func asInPython(pattern: String, matched: [String]) throws {
        let parsed = try #require(NamePattern(pattern))
        #expect(Self.names.filter(parsed.matches) == matched)
    }

    /// No patterns in Python either, or such as names do not need.
    @Test(arguments: [
        "(", ")", "a)", "[a", "*", "a**", "a{2", "a{3,2}", "[b-a]", "\\", "(?=a)", "(?P<n>a)", "\\b", "\\1",
        "a{100000}",
        String(repeating: "(", count: 100) + String(repeating: ")", count: 100), String(repeating: "a", count: 10_000),
    ])
    func whatIsNone(pattern: String) { #expect(NamePattern(pattern) == nil) }

    /// Those at which a search that goes back and forth takes for ever.
    @Test(arguments: [
        "(a+)+b", "(a*)*b", "(a|a)*b", "(a|aa)+b", "(.*)*.*.*.*b", "((a{0,20}){0,20}){0,20}b",
        "((((((|){64}){64}){64}){64}){64}){64}",
    ])
    func evilPatternsTakeNoTime(pattern: String) {
        let name = String(repeating: "a", count: 2000)
        let clock = ContinuousClock()
        let took = clock.measure { _ = NamePattern(pattern)?.matches(name) }
        #expect(took < .seconds(5))
    }
}
