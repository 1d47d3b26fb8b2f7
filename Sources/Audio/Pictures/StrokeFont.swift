/// The few letters of axes, and capitals for names, as lines on a grid whose capitals are 6 high; y grows downwards to the
/// baseline at 6.
enum StrokeFont {
    struct Glyph: Sendable {
        let width: Double
        /// Points of connected lines.
        let strokes: [[SIMD2<Double>]]
    }

    static let capHeight = 6.0
    static let spacing = 1.5

    static func width(of text: String) -> Double {
        text.reduce(-spacing) { $0 + (glyphs[$1]?.width ?? 2) + spacing }
    }

    static let glyphs: [Character: Glyph] = letters.merging(capitals) { letter, _ in letter }

    private static let letters: [Character: Glyph] = [
        " ": Glyph(width: 1, strokes: []),
        "0": Glyph(width: 4, strokes: [closed([2, 0, 3.6, 1.1, 4, 3, 3.6, 4.9, 2, 6, 0.4, 4.9, 0, 3, 0.4, 1.1])]),
        "1": Glyph(width: 2.4, strokes: [line([0.3, 1.3, 2, 0, 2, 6])]),
        "2": Glyph(
            width: 4,
            strokes: [open([0.2, 1.5, 0.8, 0.4, 2, 0, 3.4, 0.5, 3.8, 1.7, 3, 3.2, 0, 6]), line([0, 6, 4, 6])]),
        "3": Glyph(
            width: 4,
            strokes: [
                open([0.2, 1, 0.9, 0.25, 2, 0, 3.3, 0.4, 3.7, 1.4, 3.1, 2.5, 1.5, 2.85]),
                open([1.5, 2.85, 3.3, 3.2, 4, 4.3, 3.5, 5.5, 2, 6, 0.8, 5.7, 0, 4.9]),
            ]),
        "4": Glyph(width: 4.2, strokes: [line([3.2, 6, 3.2, 0, 0, 4.2, 4.4, 4.2])]),
        "5": Glyph(
            width: 4,
            strokes: [
                line([3.6, 0, 0.7, 0, 0.4, 2.7]),
                open([0.4, 2.7, 1.9, 2.15, 3.4, 2.7, 4, 4.1, 3.4, 5.5, 1.9, 6, 0, 5.1]),
            ]),
        "6": Glyph(width: 4, strokes: six.map { $0 }),
        "7": Glyph(width: 4, strokes: [line([0, 0, 4, 0, 1.4, 6])]),
        "8": Glyph(
            width: 4,
            strokes: [
                closed([2, 0, 3.3, 0.4, 3.7, 1.4, 3.2, 2.4, 2, 2.8, 0.8, 2.4, 0.3, 1.4, 0.7, 0.4]),
                closed([2, 2.8, 3.5, 3.3, 4, 4.4, 3.5, 5.5, 2, 6, 0.5, 5.5, 0, 4.4, 0.5, 3.3]),
            ]),
        "9": Glyph(width: 4, strokes: six.map { stroke in stroke.map { SIMD2(4, 6) - $0 } }),
        ".": Glyph(width: 0.6, strokes: [line([0.3, 5.9, 0.3, 6])]),
        ":": Glyph(width: 0.6, strokes: [line([0.3, 2.6, 0.3, 2.7]), line([0.3, 5.9, 0.3, 6])]),
        "−": Glyph(width: 3, strokes: [line([0, 3.2, 3, 3.2])]),
        "k": Glyph(width: 3, strokes: [line([0, 0, 0, 6]), line([2.8, 2.2, 0, 4.4]), line([1.1, 3.6, 3, 6])]),
        "H": Glyph(width: 4.2, strokes: [line([0, 0, 0, 6]), line([4.2, 0, 4.2, 6]), line([0, 2.9, 4.2, 2.9])]),
        "z": Glyph(width: 3, strokes: [line([0, 2.2, 3, 2.2, 0, 6, 3, 6])]),
        "s": Glyph(
            width: 2.8,
            strokes: [
                open([2.7, 2.8, 1.9, 2.25, 1.2, 2.2, 0.3, 2.7, 0.4, 3.6, 2.3, 4.4, 2.8, 5.2, 2, 6, 1, 6, 0, 5.4])
            ]),
        "d": Glyph(
            width: 3.2,
            strokes: [
                closed([1.6, 2.2, 2.8, 2.8, 3.2, 4.1, 2.8, 5.4, 1.6, 6, 0.4, 5.4, 0, 4.1, 0.4, 2.8]),
                line([3.2, 0, 3.2, 6]),
            ]),
        "B": Glyph(
            width: 3.8,
            strokes: [
                line([2, 0, 0, 0, 0, 6, 2.1, 6]), line([0, 2.9, 2.1, 2.9]),
                open([2, 0, 3.2, 0.4, 3.5, 1.45, 3.2, 2.5, 2, 2.9]),
                open([2.1, 2.9, 3.4, 3.3, 3.8, 4.45, 3.4, 5.6, 2.1, 6]),
            ]),
    ]

    static let six = [
        closed([2, 2.3, 3.4, 2.8, 4, 4.1, 3.4, 5.5, 2, 6, 0.6, 5.5, 0, 4.1, 0.6, 2.8]),
        open([0, 4.1, 0.2, 2.2, 0.9, 0.8, 2.1, 0, 3.5, 0.5]),
    ]

    static func line(_ numbers: [Double]) -> [SIMD2<Double>] {
        stride(from: 0, to: numbers.count - 1, by: 2).map { SIMD2(numbers[$0], numbers[$0 + 1]) }
    }

    /// A curve through the points and back to the first.
    static func closed(_ numbers: [Double]) -> [SIMD2<Double>] {
        let points = line(numbers)
        let count = points.count
        return curve((0..<count + 3).map { points[($0 + count - 1) % count] })
    }

    /// A curve from the first point to the last.
    static func open(_ numbers: [Double]) -> [SIMD2<Double>] {
        let points = line(numbers)
        return curve(points.prefix(1) + points + points.suffix(1))
    }

    /// Catmull-Rom: through all points but the first and the last, which only give direction.
    private static func curve(_ p: [SIMD2<Double>]) -> [SIMD2<Double>] {
        let pieces = 6
        return (0..<(p.count - 3) * pieces + 1).map { step in
            let i = min(step / pieces, p.count - 4)
            let t = Double(step - i * pieces) / Double(pieces)
            let straight = (p[i + 2] - p[i]) * t
            let bend = (2 * p[i] - 5 * p[i + 1] + 4 * p[i + 2] - p[i + 3]) * (t * t)
            let twist = (3 * p[i + 1] - p[i] - 3 * p[i + 2] + p[i + 3]) * (t * t * t)
            return p[i + 1] + 0.5 * (straight + bend + twist)
        }
    }
}
