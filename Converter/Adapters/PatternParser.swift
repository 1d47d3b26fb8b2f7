/// Reads what `NamePattern` matches, by recursive descent. Its methods return nil for what it does not know.
struct PatternParser {
    private static let deepest = 32
    /// Of a part, by numbers.
    private static let mostRepetitions = 64

    private let scalars: [Unicode.Scalar]
    private var place = 0
    private var depth = 0

    init(_ text: String) { scalars = Array(text.unicodeScalars) }

    mutating func whole() -> PatternPart? {
        guard let part = choice(), place == scalars.count else { return nil }
        return part
    }

    private var next: Unicode.Scalar? { place < scalars.count ? scalars[place] : nil }

    private mutating func accept(_ scalar: Unicode.Scalar) -> Bool {
        guard next == scalar else { return false }
        place += 1
        return true
    }

    private mutating func choice() -> PatternPart? {
        guard depth < Self.deepest else { return nil }
        depth += 1
        defer { depth -= 1 }
        var parts: [PatternPart] = []
        repeat {
            guard let part = sequence() else { return nil }
            parts.append(part)
        } while accept("|")
        return .choice(parts)
    }

    private mutating func sequence() -> PatternPart? {
        var parts: [PatternPart] = []
        while let scalar = next, scalar != "|", scalar != ")" {
            guard let part = repeated() else { return nil }
            parts.append(part)
        }
        return .sequence(parts)
    }

    private mutating func repeated() -> PatternPart? {
        guard let part = one() else { return nil }
        let bounds: (least: Int, most: Int?)
        if accept("*") {
            bounds = (0, nil)
        } else if accept("+") {
            bounds = (1, nil)
        } else if accept("?") {
            bounds = (0, 1)
        } else if next == "{" {
            guard let read = numbers() else { return nil }
            bounds = read
        } else {
            return part
        }
        // As few as will do is a question of parts, and here only the whole counts.
        _ = accept("?")
        guard next.map({ !"*+?{".unicodeScalars.contains($0) }) ?? true else { return nil }
        return .repeated(part, least: bounds.least, most: bounds.most)
    }

    /// `{2}`, `{2,}`, `{,3}`, `{2,3}`.
    private mutating func numbers() -> (least: Int, most: Int?)? {
        place += 1
        func number(_ parser: inout PatternParser) -> Int? {
            let digits = parser.scalars[parser.place...].prefix { ScalarSet.digits.contains($0) }
            parser.place += digits.count
            return Int(String(String.UnicodeScalarView(digits)))
        }
        let least = number(&self)
        var most = least
        if accept(",") {
            most = number(&self)
            guard least != nil || most != nil else { return nil }
        } else if least == nil {
            return nil
        }
        let bounds = (least: least ?? 0, most: most)
        guard accept("}"), max(bounds.least, bounds.most ?? 0) <= Self.mostRepetitions,
            bounds.least <= bounds.most ?? bounds.least
        else { return nil }
        return bounds
    }

    private mutating func one() -> PatternPart? {
        guard let scalar = next else { return nil }
        place += 1
        switch scalar {
        case ".": return .one(.any)
        case "^": return .start
        case "$": return .end
        case "[": return characters().map(PatternPart.one)
        case "\\": return escape().map(PatternPart.one)
        case "(":
            if accept("?") {
                guard accept(":") else { return nil }
            }
            guard let part = choice(), accept(")") else { return nil }
            return part
        case "*", "+", "?", "{": return nil
        default: return .one(ScalarSet(ranges: [scalar...scalar]))
        }
    }

    private mutating func escape() -> ScalarSet? {
        guard let scalar = next else { return nil }
        place += 1
        switch scalar {
        case "d": return .digits
        case "w": return .words
        case "s": return .spaces
        case "D": return ScalarSet(ranges: ScalarSet.digits.ranges, isInverted: true)
        case "W": return ScalarSet(ranges: ScalarSet.words.ranges, isInverted: true)
        case "S": return ScalarSet(ranges: ScalarSet.spaces.ranges, isInverted: true)
        default:
            // Other letters and digits mean something that names do not need.
            return ScalarSet.words.contains(scalar) && scalar != "_" ? nil : ScalarSet(ranges: [scalar...scalar])
        }
    }

    /// `[a-z_.]`, `[^0-9]`, behind the bracket.
    private mutating func characters() -> ScalarSet? {
        var set = ScalarSet(ranges: [], isInverted: accept("^"))
        var isFirst = true
        while let scalar = next, scalar != "]" || isFirst {
            isFirst = false
            place += 1
            if scalar == "\\" {
                guard let escaped = escape(), !escaped.isInverted else { return nil }
                set.ranges += escaped.ranges
            } else if next == "-", place + 1 < scalars.count, scalars[place + 1] != "]" {
                let last = scalars[place + 1]
                place += 2
                guard last != "\\", last >= scalar else { return nil }
                set.ranges.append(scalar...last)
            } else {
                set.ranges.append(scalar...scalar)
            }
        }
        return accept("]") ? set : nil
    }
}
