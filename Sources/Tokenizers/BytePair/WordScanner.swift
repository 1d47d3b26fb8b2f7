/// Cuts text into words as GPT-2 does before byte-pair encoding, where it is written as a regular expression:
///
///     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
struct WordScanner {
    /// What the regular expression tells apart.
    fileprivate enum Kind {
        case letter
        case number
        case whitespace
        case other
    }

    private static let contractions = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"].map { Array($0.utf8) }

    private let bytes: [UInt8]
    /// By scalar.
    private var kinds: [Kind] = []
    /// By scalar: its first byte; and one more, the number of bytes.
    private var starts: [Int] = []

    private init(_ text: String) {
        bytes = Array(text.utf8)
        kinds.reserveCapacity(bytes.count)
        starts.reserveCapacity(bytes.count + 1)
        var offset = 0
        for scalar in text.unicodeScalars {
            kinds.append(Kind(scalar))
            starts.append(offset)
            offset += UTF8.width(scalar)
        }
        starts.append(offset)
    }

    /// The words' bytes; together they are all of the text's.
    static func words(of text: String) -> [ArraySlice<UInt8>] {
        let scanner = WordScanner(text)
        var words: [ArraySlice<UInt8>] = []
        var index = 0
        while index < scanner.kinds.count {
            let end = scanner.contractionEnd(from: index) ?? scanner.runEnd(from: index)
            words.append(scanner.bytes[scanner.starts[index]..<scanner.starts[end]])
            index = end
        }
        return words
    }

    private func contractionEnd(from index: Int) -> Int? {
        let rest = bytes[starts[index]...]
        guard rest.first == UInt8(ascii: "'") else { return nil }
        return Self.contractions.first(where: rest.starts).map { index + $0.count }
    }

    /// The end of a run of one kind, which a single space may precede. A run of whitespace leaves its last scalar to
    /// the word that follows.
    private func runEnd(from index: Int) -> Int {
        let isLed =
            bytes[starts[index]] == UInt8(ascii: " ") && index + 1 < kinds.count && kinds[index + 1] != .whitespace
        let first = isLed ? index + 1 : index
        let end = kinds[first...].firstIndex { $0 != kinds[first] } ?? kinds.count
        let leavesLast = kinds[first] == .whitespace && end < kinds.count && end - index > 1
        return leavesLast ? end - 1 : end
    }
}

extension WordScanner.Kind {
    /// The categories of Unicode 16, the version of the regular expressions in Hugging Face's `tokenizers` 0.23: what
    /// was assigned later is neither letter nor number, however new the Unicode of Swift's library.
    private static let unicodeVersion = 16

    fileprivate init(_ scalar: Unicode.Scalar) {
        let properties = scalar.properties
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
            self = Self.isKnown(properties) ? .letter : .other
        case .decimalNumber, .letterNumber, .otherNumber:
            self = Self.isKnown(properties) ? .number : .other
        default:
            self = properties.isWhitespace ? .whitespace : .other
        }
    }

    private static func isKnown(_ properties: Unicode.Scalar.Properties) -> Bool {
        (properties.age?.major ?? .max) <= unicodeVersion
    }
}
