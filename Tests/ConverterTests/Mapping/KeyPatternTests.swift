import AudioLDM2Converter
import Testing

@Suite struct KeyPatternTests {
    @Test(
        arguments: [
            ("a.b", "a.b", []), ("a.b", "a.bc", nil), ("a.*", "a.", [""]), ("a.*", "a.b.c", ["b.c"]),
            ("a.*", "xa.b", nil),
            ("*.bias", "up.0.bias", ["up.0"]), ("*.bias", "bias", nil), ("*.key.*", "m.key.w", ["m", "w"]),
            ("*.key.*", "m.key.key.w", ["m", "key.w"]), ("a*a", "a", nil), ("a*a", "aa", [""]), ("*", "", [""]),
        ] as [(String, String, [String]?)])
    func matches(pattern: String, key: String, captures: [String]?) {
        let pattern = KeyPattern(pattern)
        #expect(pattern.match(key) == captures)
        if let captures { #expect(pattern.filled(with: captures) == key) }
    }
}
