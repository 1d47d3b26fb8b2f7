/// A regular expression by which settings name layers, in the part of Python's syntax that names need: characters, `.`, classes,
/// groups, `|`, repetitions, `^` and `$`.
///
/// It comes with a file from anywhere, so it is matched in all ways at once (Thompson 1968): time grows with its length times
/// the name's, where one that goes back and forth can take for ever.
package struct NamePattern {
    private enum Step {
        case take(ScalarSet, next: Int)
        case fork([Int])
        /// Only at the start of a name, or at its end.
        case start(next: Int)
        case end(next: Int)
        case match
    }

    /// Longer than any that names layers.
    private static let longest = 512
    private static let mostSteps = 4096

    private var steps: [Step] = [.match]
    private var first = 0
    /// Parts that were added: repetitions of nothing make no steps.
    private var work = 0

    /// - Returns: nil for what is no such pattern, or too long.
    package init?(_ text: String) {
        var parser = PatternParser(text)
        guard text.unicodeScalars.count <= Self.longest, let part = parser.whole(), let first = add(part, next: 0)
        else {
            return nil
        }
        self.first = first
    }

    /// Adds the steps of a part.
    /// - Parameter next: the step behind it.
    /// - Returns: its first step; nil for too many.
    private mutating func add(_ part: PatternPart, next: Int) -> Int? {
        work += 1
        guard work < Self.mostSteps else { return nil }
        switch part {
        case .one(let set): return add(.take(set, next: next))
        case .start: return add(.start(next: next))
        case .end: return add(.end(next: next))
        case .sequence(let parts):
            return parts.reversed().reduce(Optional(next)) { next, part in next.flatMap { add(part, next: $0) } }
        case .choice(let parts):
            let starts = parts.compactMap { add($0, next: next) }
            return starts.count == parts.count ? add(.fork(starts)) : nil
        case .repeated(let part, let least, let most):
            var start = next
            if let most {
                for _ in least..<most {
                    guard let body = add(part, next: start) else { return nil }
                    start = add(.fork([body, next]))
                }
            } else {
                start = add(.fork([next]))
                guard let body = add(part, next: start) else { return nil }
                steps[start] = .fork([body, next])
            }
            for _ in 0..<least {
                guard let body = add(part, next: start) else { return nil }
                start = body
            }
            return start
        }
    }

    private mutating func add(_ step: Step) -> Int {
        steps.append(step)
        return steps.count - 1
    }

    /// Whether it is a pattern of the whole of a name.
    package func matches(_ name: String) -> Bool {
        let scalars = Array(name.unicodeScalars)
        var places = reached(from: [first], isStart: true, isEnd: scalars.isEmpty)
        for (index, scalar) in scalars.enumerated() {
            let next = places.compactMap { place in
                if case .take(let set, let next) = steps[place], set.contains(scalar) { next } else { nil }
            }
            guard !next.isEmpty else { return false }
            places = reached(from: next, isStart: false, isEnd: index + 1 == scalars.count)
        }
        return places.contains { if case .match = steps[$0] { true } else { false } }
    }

    /// Steps that can be come to without taking a character, each once.
    private func reached(from starts: [Int], isStart: Bool, isEnd: Bool) -> [Int] {
        var isSeen = [Bool](repeating: false, count: steps.count)
        var found: [Int] = []
        var open = starts
        while let place = open.popLast() {
            guard !isSeen[place] else { continue }
            isSeen[place] = true
            switch steps[place] {
            case .take, .match: found.append(place)
            case .fork(let places): open += places
            case .start(let next): if isStart { open.append(next) }
            case .end(let next): if isEnd { open.append(next) }
            }
        }
        return found
    }
}

/// Characters that may stand at a place.
struct ScalarSet {
    var ranges: [ClosedRange<Unicode.Scalar>]
    var isInverted = false

    static let any = ScalarSet(ranges: [], isInverted: true)
    static let digits = ScalarSet(ranges: ["0"..."9"])
    static let words = ScalarSet(ranges: ["0"..."9", "A"..."Z", "a"..."z", "_"..."_"])
    static let spaces = ScalarSet(ranges: [" "..." ", "\t"..."\r"])

    func contains(_ scalar: Unicode.Scalar) -> Bool { ranges.contains { $0.contains(scalar) } != isInverted }
}

indirect enum PatternPart {
    case one(ScalarSet)
    case start, end
    case sequence([PatternPart])
    case choice([PatternPart])
    case repeated(PatternPart, least: Int, most: Int?)
}
