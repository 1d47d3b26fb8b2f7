import Foundation

/// English text as speech models were trained on it: ASCII, lower case, abbreviations written out.
///
/// What `english_cleaners2` of VITS does before it asks for phonemes (numbers are left to the phonemizer), with ICU's
/// transliteration in place of Unidecode's, and Unidecode's spelling of the symbols that ICU leaves alone.
package enum EnglishCleaner {
    package static func clean(_ text: String) -> String {
        expandAbbreviations(asciiFolded(text).lowercased())
    }

    /// Letters without their accents, other scripts in Latin letters; what has no such form is left out.
    static func asciiFolded(_ text: String) -> String {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return text }
        let spelled = text.unicodeScalars.reduce(into: "") { $0 += symbols[$1] ?? String($1) }
            .precomposedStringWithCompatibilityMapping
        let latin = spelled.applyingTransform(StringTransform("Any-Latin; Latin-ASCII"), reverse: false) ?? spelled
        return String(String.UnicodeScalarView(latin.unicodeScalars.filter(\.isASCII)))
    }

    private static let symbols: [Unicode.Scalar: String] = [
        "—": "--", "―": "--", "£": "PS", "€": "EUR", "¥": "Y=", "¢": "C/", "™": "(tm)", "©": "(c)", "®": "(r)",
        "°": "deg", "×": "x", "÷": "/", "±": "+-", "№": "No. ", "½": " 1/2", "¼": " 1/4", "¾": " 3/4", "§": "SS",
        "¶": "P",
        "·": "*", "•": "*", "¬": "!", "µ": "u", "←": "-", "→": "-", "≤": "<=", "≥": ">=",
    ]

    /// In this order: the longer of two that begin alike comes first, or does not end where the shorter does.
    private static let abbreviations = [
        ("mrs", "misess"), ("mr", "mister"), ("dr", "doctor"), ("st", "saint"), ("co", "company"), ("jr", "junior"),
        ("maj", "major"), ("gen", "general"), ("drs", "doctors"), ("rev", "reverend"), ("lt", "lieutenant"),
        ("hon", "honorable"), ("sgt", "sergeant"), ("capt", "captain"), ("esq", "esquire"), ("ltd", "limited"),
        ("col", "colonel"), ("ft", "fort"),
    ]

    /// Words that are an abbreviation with a period behind.
    private static func expandAbbreviations(_ text: String) -> String {
        var bytes = Array(text.utf8)
        for (short, long) in abbreviations {
            let pattern = Array(short.utf8) + [UInt8(ascii: ".")]
            var result: [UInt8] = []
            var index = 0
            while index < bytes.count {
                let startsWord = index == 0 || !isWordCharacter(bytes[index - 1])
                if startsWord, bytes[index...].starts(with: pattern) {
                    result += long.utf8
                    index += pattern.count
                } else {
                    result.append(bytes[index])
                    index += 1
                }
            }
            bytes = result
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func isWordCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"): true
        default: false
        }
    }
}
