/// What letters of Latin, Greek and Cyrillic script are in ASCII. Unicode's names say most of it, which Swift's library knows:
/// "LATIN SMALL LETTER E WITH ACUTE". Transliteration of all scripts would take ICU, and its 30 MB of data.
package enum LatinLetters {
    /// One or more ASCII letters for a letter; nil for what is none, or of another script.
    package static func spelling(of scalar: Unicode.Scalar) -> String? {
        if scalar.isASCII { return String(scalar) }
        if let known = others[scalar] { return known }
        guard scalar.properties.isAlphabetic, let name = scalar.properties.name else { return nil }
        let words = name.split(separator: " ")
        guard words.count >= 4, words[2] == "LETTER" || words[2] == "LIGATURE" else { return nil }
        let isSmall = words[1] == "SMALL"
        guard isSmall || words[1] == "CAPITAL" else { return nil }
        let letters: String? =
            switch words[0] {
            case "LATIN": latin(words[3...])
            case "GREEK": greek[words[3]]
            default: nil
            }
        return letters.map { isSmall ? $0.lowercased() : $0 }
    }

    /// Of the part of a name that follows "LATIN SMALL LETTER", in capitals: a letter or several, whatever it is with.
    private static func latin(_ words: ArraySlice<Substring>) -> String? {
        guard let letters = words.first else { return nil }
        // "ETH", "OPEN E": letters that have a name instead.
        guard words.count == 1 || words[words.startIndex + 1] == "WITH" else {
            return named[words.joined(separator: " ")]
        }
        return letters.count <= 2 ? String(letters) : named[String(letters)]
    }

    private static let named = [
        "SHARP S": "SS", "DOTLESS I": "I", "DOTLESS J": "J", "ETH": "D", "THORN": "TH", "ENG": "N", "KRA": "Q",
        "LONG S": "S", "SCHWA": "E", "OPEN E": "E", "OPEN O": "O", "FFI": "FFI", "FFL": "FFL", "LONG S T": "ST",
        "EZH": "ZH", "ESH": "SH",
    ]

    private static let greek: [Substring: String] = [
        "ALPHA": "A", "BETA": "B", "GAMMA": "G", "DELTA": "D", "EPSILON": "E", "ZETA": "Z", "ETA": "E", "THETA": "TH",
        "IOTA": "I", "KAPPA": "K", "LAMDA": "L", "MU": "M", "NU": "N", "XI": "X", "OMICRON": "O", "PI": "P", "RHO": "R",
        "SIGMA": "S", "FINAL": "S", "TAU": "T", "UPSILON": "Y", "PHI": "PH", "CHI": "CH", "PSI": "PS", "OMEGA": "O",
    ]

    private static let others: [Unicode.Scalar: String] = {
        let cyrillic: [(Character, String)] = [
            ("а", "a"), ("б", "b"), ("в", "v"), ("г", "g"), ("д", "d"), ("е", "e"), ("ё", "e"), ("ж", "z"),
            ("з", "z"), ("и", "i"), ("й", "j"), ("к", "k"), ("л", "l"), ("м", "m"), ("н", "n"), ("о", "o"),
            ("п", "p"), ("р", "r"), ("с", "s"), ("т", "t"), ("у", "u"), ("ф", "f"), ("х", "h"), ("ц", "c"),
            ("ч", "c"), ("ш", "s"), ("щ", "s"), ("ъ", "\""), ("ы", "y"), ("ь", "'"), ("э", "e"), ("ю", "u"),
            ("я", "a"), ("є", "e"), ("і", "i"), ("ї", "i"), ("ґ", "g"), ("ў", "u"), ("ђ", "d"), ("ј", "j"),
            ("љ", "l"), ("њ", "n"), ("ћ", "c"), ("џ", "d"), ("ѓ", "g"), ("ќ", "k"), ("ѕ", "z"),
        ]
        var table: [Unicode.Scalar: String] = [:]
        for (letter, spelling) in cyrillic {
            for (form, text) in [(String(letter), spelling), (letter.uppercased(), spelling.uppercased())] {
                if let scalar = form.unicodeScalars.first, form.unicodeScalars.count == 1 { table[scalar] = text }
            }
        }
        return table
    }()
}

extension String {
    /// Latin letters without the marks that they bear, whether those are scalars of their own or not: "é" is "e". Only what
    /// bears a mark changes.
    package var withoutMarks: String {
        if utf8.allSatisfy({ $0 < 0x80 }) { return self }
        return unicodeScalars.reduce(into: "") { text, scalar in
            if scalar.properties.generalCategory == .nonspacingMark { return }
            let name = scalar.properties.name ?? ""
            // A letter "with small letter" is two.
            let isMarked = name.hasPrefix("LATIN ") && name.contains(" WITH ") && !name.contains(" WITH SMALL LETTER ")
            text += (isMarked ? LatinLetters.spelling(of: scalar) : nil) ?? String(scalar)
        }
    }
}
