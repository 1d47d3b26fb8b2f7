/// What turns words into phonemes.
package protocol WordPhonemizer: Sendable {
    /// - Parameter text: one run of words without punctuation.
    /// - Returns: phonemes in the International Phonetic Alphabet, words separated by spaces.
    func phonemes(of text: String) throws -> String
}

/// Text to phonemes, its punctuation kept.
///
/// As PyPI `phonemizer` 3.4 with `preserve_punctuation` and `strip`, behind transformers' `VitsTokenizer`.
package struct Phonemizer<Words: WordPhonemizer>: Sendable {
    private let words: Words

    package init(_ words: Words) { self.words = words }

    package func phonemes(of text: String) throws -> String {
        let lines = text.split(separator: "\n").map(String.init).filter { !$0.allSatisfy(\.isWhitespace) }
        let spoken = try lines.map { try phonemes(ofLine: $0) }.joined(separator: " ")
        return Self.collapsed(spoken)
    }

    private func phonemes(ofLine line: String) throws -> String {
        let punctuated = PunctuatedLine(line)
        return try punctuated.restored(around: punctuated.chunks.map { try words.phonemes(of: $0) })
    }

    /// Runs of whitespace become one space.
    private static func collapsed(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            let isSpace = scalar.properties.isWhitespace
            if isSpace, result.last == " " { continue }
            result.append(isSpace ? " " : scalar)
        }
        return String(result)
    }
}

/// A line cut at its punctuation.
struct PunctuatedLine {
    /// What stands between the marks, where there is something.
    private(set) var chunks: [String] = []
    private var marks: [Mark] = []

    private struct Mark {
        enum Place { case start, middle, end, alone }
        /// With the spaces around it.
        let text: String
        let place: Place
    }

    private static let characters = Set<Unicode.Scalar>(#";:,.!?¡¿—…"«»“”(){}[]"#.unicodeScalars)

    init(_ line: String) {
        let scalars = Array(line.unicodeScalars)
        let ranges = Self.markRanges(scalars)
        func text(_ range: Range<Int>) -> String {
            String(String.UnicodeScalarView(scalars[range]))
        }
        if ranges == [scalars.indices] {
            marks = [Mark(text: line, place: .alone)]
            return
        }
        marks = ranges.enumerated().map { index, range in
            let place: Mark.Place =
                index == 0 && range.lowerBound == 0
                ? .start : index == ranges.count - 1 && range.upperBound == scalars.count ? .end : .middle
            return Mark(text: text(range), place: place)
        }
        // The reference looks for each mark's text anew, and may find it in a number before: 3.5 in a line that ends there.
        var rest = line[...]
        for mark in marks {
            guard let range = rest.firstRange(of: mark.text) else { continue }
            chunks.append(String(rest[..<range.lowerBound]))
            rest = rest[range.upperBound...]
        }
        chunks = (chunks + [String(rest)]).filter { !$0.isEmpty }
    }

    /// Runs of marks and of the spaces around them. A period or comma between two digits is no mark.
    private static func markRanges(_ scalars: [Unicode.Scalar]) -> [Range<Int>] {
        func isDigit(_ index: Int) -> Bool { scalars.indices.contains(index) && ("0"..."9").contains(scalars[index]) }
        func isMark(_ index: Int) -> Bool {
            guard characters.contains(scalars[index]) else { return false }
            let separatesDecimals = scalars[index] == "." || scalars[index] == ","
            return !(separatesDecimals && isDigit(index - 1) && isDigit(index + 1))
        }
        var ranges: [Range<Int>] = []
        var index = 0
        while index < scalars.count {
            let start = index
            var hasMark = false
            while index < scalars.count, isMark(index) || scalars[index].properties.isWhitespace {
                hasMark = hasMark || isMark(index)
                index += 1
            }
            if hasMark { ranges.append(start..<index) }
            if index == start { index += 1 }
        }
        return ranges
    }

    /// The line with `spoken` in the places of `chunks`, as the reference puts it together again.
    func restored(around spoken: [String]) -> String {
        var finished: [String] = []
        var spoken = spoken[...]
        for mark in marks {
            guard !spoken.isEmpty else {
                // Without words, all marks that are left stand alone.
                finished.append(mark.text)
                continue
            }
            var first = spoken.removeFirst()
            if first.hasSuffix(" ") { first.removeLast() }
            switch mark.place {
            case .start: spoken.insert(mark.text + first, at: spoken.startIndex)
            case .middle:
                let next = spoken.isEmpty ? "" : spoken.removeFirst()
                spoken.insert(first + mark.text + next, at: spoken.startIndex)
            case .end, .alone: finished.append(first + mark.text)
            }
        }
        return (finished + spoken).joined(separator: "\n")
    }
}
