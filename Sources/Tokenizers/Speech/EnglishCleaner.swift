import Text

/// English text as speech models were trained on it: ASCII, lower case, abbreviations written out.
///
/// What `english_cleaners2` of VITS does before it asks for phonemes (numbers are left to the phonemizer): letters and
/// symbols as Unidecode spells them, as far as they are of Latin, Greek or Cyrillic script.
package enum EnglishCleaner {
    package static func clean(_ text: String) -> String {
        expandAbbreviations(asciiFolded(text).lowercased())
    }

    /// Letters without their accents, Greek and Cyrillic ones in Latin letters; what has no such form, other scripts among it,
    /// is left out.
    static func asciiFolded(_ text: String) -> String {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return text }
        return text.unicodeScalars.reduce(into: "") { $0 += spelling(of: $1) ?? "" }
    }

    private static func spelling(of scalar: Unicode.Scalar) -> String? {
        if let known = symbols[scalar] ?? LatinLetters.spelling(of: scalar) { return known }
        // Full width: ASCII for East Asian type.
        if (0xFF01...0xFF5E).contains(scalar.value) { return Unicode.Scalar(scalar.value - 0xFEE0).map { String($0) } }
        let properties = scalar.properties
        switch properties.generalCategory {
        case .decimalNumber, .otherNumber:
            // Superscripts and subscripts too.
            guard properties.numericType == .digit || properties.numericType == .decimal else { return nil }
            return properties.numericValue.map { String(Int($0)) }
        case .spaceSeparator: return " "
        case .lineSeparator, .paragraphSeparator: return "\n"
        case .dashPunctuation: return "-"
        default: return nil
        }
    }

    private static let symbols: [Unicode.Scalar: String] = [
        "—": "--", "―": "--", "£": "PS", "€": "EUR", "¥": "Y=", "¢": "C/", "™": "(tm)", "©": "(c)", "®": "(r)",
        "°": "deg", "×": "x", "÷": "/", "±": "+-", "№": "No. ", "½": " 1/2", "¼": " 1/4", "¾": " 3/4", "§": "SS",
        "¶": "P",
        "·": "*", "•": "*", "¬": "!", "µ": "u", "←": "-", "→": "-", "≤": "<=", "≥": ">=", "−": "-", "⁄": "/",
        "‘": "'", "’": "'", "‚": "'", "‛": "'", "′": "'", "“": "\"", "”": "\"", "„": "\"", "″": "\"", "«": "<<",
        "»": ">>", "‹": "<", "›": ">", "…": "...", "¡": "!", "¿": "?", "ª": "a", "º": "o",
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
