import Foundation
import Testing
import Text

@Suite struct TextTests {
    /// Against C's own functions, which Foundation asks.
    @Test func numbersAreThoseOfFoundation() {
        for value in [0, -0.0, 1, 1.005, -2.5, 1e-7, 123456.789, 1e300, .infinity, .nan] {
            for format in ["%.0f", "%.2f", "%5.3f", "%+.4f", "%.1e", "%.5g", "%7.3f"] {
                #expect(String(printf: format, value) == String(format: format, value))
            }
        }
        #expect(String(printf: "%d:%02d %llu %%", 3, 7, UInt64.max) == "3:07 18446744073709551615 %")
        // More than there is room for.
        #expect(String(printf: "%600d", 1).utf8.count == 511)
    }

    /// A host program may have chosen one with a decimal comma.
    @Test func numbersHaveAPointInEveryLocale() {
        guard let german = newlocale(1 << LC_NUMERIC, "de_DE.UTF-8", nil) else {
            print("skipped: there is no de_DE.UTF-8")
            return
        }
        let host = uselocale(german)
        defer {
            uselocale(host)
            freelocale(german)
        }
        #expect(String(printf: "%.2f", 1.5) == "1.50")
        #expect(localeconv().pointee.decimal_point.map { String(cString: $0) } == ",")
    }

    @Test(arguments: [
        ("", ""), ("  ", ""), (" a b\n", "a b"), ("\u{A0}x\t", "x"), ("x", "x"), ("\r\n", ""),
    ])
    func trimming(_ text: String, _ expected: String) {
        #expect(text.trimmed == expected)
        #expect(text.trimmed == text.trimmingCharacters(in: .whitespacesAndNewlines))
    }

    @Test func padding() {
        for (text, count) in [("", 0), ("ab", 4), ("ab", 2), ("abc", 2), ("é", 3)] {
            #expect(text.padded(to: count) == text.padding(toLength: count, withPad: " ", startingAt: 0))
        }
    }

    @Test(arguments: [
        "café", "naïve", "ấ ü Å ñ ç ž", "e\u{301}tude", "Ёлка", "plain", "日本", "ΐ", "ǅ", "🎵 ½",
    ])
    func marksGo(_ text: String) {
        let folded = text.withoutMarks
        #expect(folded.withoutMarks == folded)
        guard text.unicodeScalars.allSatisfy({ $0.value < 0x250 || (0x300..<0x370).contains($0.value) }) else { return }
        #expect(folded == text.folding(options: .diacriticInsensitive, locale: nil))
    }

    /// Of every Latin letter with marks that Foundation takes off.
    @Test func lettersAreThoseOfFoundation() {
        var compared = 0
        for value in [UInt32](0xC0..<0x250) + [UInt32](0x1E00..<0x1F00) {
            guard let scalar = Unicode.Scalar(value), scalar.properties.isAlphabetic else { continue }
            let theirs = String(scalar).folding(options: .diacriticInsensitive, locale: nil)
            guard theirs != String(scalar), theirs.utf8.allSatisfy({ $0 < 0x80 }) else { continue }
            #expect(LatinLetters.spelling(of: scalar) == theirs, "\(scalar)")
            compared += 1
        }
        #expect(compared > 400)
    }

    @Test func jsonOfAnyKind() throws {
        let text = #"{"a": [1, -2.5e3, true, false, null, "x\n"], "b": {}, "c": 1e999}"#
        let value = try JSONValue(reading: Data(text.utf8))
        #expect(
            value.object == [
                "a": .array([.number(1), .number(-2500), .bool(true), .bool(false), .null, .string("x\n")]),
                "b": .object([:]), "c": .number(nil),
            ])
        #expect(value.string == nil && value.array == nil && value.object?["a"]?.array?.last?.string == "x\n")
        for wrong in ["", "{", "[1 2]", "nul", "{\"a\"}", "1 2"] {
            #expect(throws: (any Error).self, "\(wrong)") { try JSONValue(reading: Data(wrong.utf8)) }
        }
    }
}
