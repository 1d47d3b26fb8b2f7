/// Capitals and signs, for names of any kind: small letters are written as capitals.
extension StrokeFont {
    static let capitals: [Character: Glyph] = [
        "A": Glyph(width: 4.4, strokes: [line([0, 6, 2.2, 0, 4.4, 6]), line([0.8, 4, 3.6, 4])]),
        "C": Glyph(
            width: 4, strokes: [open([4, 1.2, 3.2, 0.3, 2.1, 0, 0.6, 0.9, 0, 3, 0.6, 5.1, 2.1, 6, 3.2, 5.7, 4, 4.8])]),
        "D": Glyph(
            width: 4, strokes: [line([1.8, 0, 0, 0, 0, 6, 1.8, 6]), open([1.8, 0, 3.4, 0.8, 4, 3, 3.4, 5.2, 1.8, 6])]),
        "E": Glyph(width: 3.4, strokes: [line([3.4, 0, 0, 0, 0, 6, 3.4, 6]), line([0, 2.9, 2.9, 2.9])]),
        "F": Glyph(width: 3.3, strokes: [line([3.3, 0, 0, 0, 0, 6]), line([0, 2.9, 2.8, 2.9])]),
        "G": Glyph(
            width: 4.2,
            strokes: [
                open([4, 1.2, 3.2, 0.3, 2.1, 0, 0.6, 0.9, 0, 3, 0.6, 5.1, 2.1, 6, 3.4, 5.6, 4.2, 4.8]),
                line([4.2, 4.8, 4.2, 3.2, 2.4, 3.2]),
            ]),
        "I": Glyph(width: 0.6, strokes: [line([0.3, 0, 0.3, 6])]),
        "J": Glyph(width: 2.6, strokes: [line([2.6, 0, 2.6, 4.4]), open([2.6, 4.4, 2.2, 5.6, 1.2, 6, 0.2, 5.5])]),
        "K": Glyph(width: 3.8, strokes: [line([0, 0, 0, 6]), line([3.6, 0, 0, 3.6]), line([1.3, 2.4, 3.8, 6])]),
        "L": Glyph(width: 3.2, strokes: [line([0, 0, 0, 6, 3.2, 6])]),
        "M": Glyph(width: 5, strokes: [line([0, 6, 0, 0, 2.5, 4.4, 5, 0, 5, 6])]),
        "N": Glyph(width: 4.2, strokes: [line([0, 6, 0, 0, 4.2, 6, 4.2, 0])]),
        "O": Glyph(width: 4.6, strokes: [closed([2.3, 0, 4, 0.9, 4.6, 3, 4, 5.1, 2.3, 6, 0.6, 5.1, 0, 3, 0.6, 0.9])]),
        "P": Glyph(
            width: 3.6,
            strokes: [
                line([2, 0, 0, 0, 0, 6]), line([0, 3.2, 2, 3.2]), open([2, 0, 3.3, 0.4, 3.6, 1.6, 3.3, 2.8, 2, 3.2]),
            ]),
        "Q": Glyph(
            width: 4.6,
            strokes: [
                closed([2.3, 0, 4, 0.9, 4.6, 3, 4, 5.1, 2.3, 6, 0.6, 5.1, 0, 3, 0.6, 0.9]), line([2.8, 4.4, 4.5, 6.3]),
            ]),
        "R": Glyph(
            width: 3.8,
            strokes: [
                line([2, 0, 0, 0, 0, 6]), line([0, 3.2, 2, 3.2, 3.8, 6]),
                open([2, 0, 3.3, 0.4, 3.6, 1.6, 3.3, 2.8, 2, 3.2]),
            ]),
        "S": Glyph(
            width: 3.8,
            strokes: [
                open([
                    3.6, 1, 2.9, 0.2, 1.9, 0, 0.6, 0.4, 0.2, 1.5, 0.8, 2.5, 2, 3, 3.3, 3.5, 3.8, 4.5, 3.3, 5.6, 1.9, 6,
                    0.8, 5.7,
                    0, 4.8,
                ])
            ]),
        "T": Glyph(width: 4, strokes: [line([0, 0, 4, 0]), line([2, 0, 2, 6])]),
        "U": Glyph(
            width: 4,
            strokes: [line([0, 0, 0, 3.9]), open([0, 3.9, 0.5, 5.5, 2, 6, 3.5, 5.5, 4, 3.9]), line([4, 3.9, 4, 0])]),
        "V": Glyph(width: 4.4, strokes: [line([0, 0, 2.2, 6, 4.4, 0])]),
        "W": Glyph(width: 6, strokes: [line([0, 0, 1.5, 6, 3, 0.6, 4.5, 6, 6, 0])]),
        "X": Glyph(width: 4, strokes: [line([0, 0, 4, 6]), line([4, 0, 0, 6])]),
        "Y": Glyph(width: 4.2, strokes: [line([0, 0, 2.1, 3, 4.2, 0]), line([2.1, 3, 2.1, 6])]),
        "Z": Glyph(width: 3.8, strokes: [line([0, 0, 3.8, 0, 0, 6, 3.8, 6])]),
        "-": Glyph(width: 2.2, strokes: [line([0, 3.4, 2.2, 3.4])]),
        "_": Glyph(width: 3.6, strokes: [line([0, 6.6, 3.6, 6.6])]),
        "/": Glyph(width: 2.6, strokes: [line([0, 6.6, 2.6, -0.4])]),
        "(": Glyph(width: 1.4, strokes: [open([1.4, -0.6, 0.3, 1, 0, 3, 0.3, 5, 1.4, 6.6])]),
        ")": Glyph(width: 1.4, strokes: [open([0, -0.6, 1.1, 1, 1.4, 3, 1.1, 5, 0, 6.6])]),
        ",": Glyph(width: 0.8, strokes: [line([0.5, 5.8, 0.1, 7])]),
        "=": Glyph(width: 3, strokes: [line([0, 2.4, 3, 2.4]), line([0, 4.2, 3, 4.2])]),
        "+": Glyph(width: 3, strokes: [line([0, 3.2, 3, 3.2]), line([1.5, 1.7, 1.5, 4.7])]),
        "%": Glyph(
            width: 4.4,
            strokes: [
                line([4, 0, 0.4, 6]), closed([1, 0, 1.8, 1.2, 1, 2.4, 0.2, 1.2]),
                closed([3.4, 3.6, 4.2, 4.8, 3.4, 6, 2.6, 4.8]),
            ]),
    ]

    /// A name in letters that there are; others become spaces.
    static func writable(_ name: String) -> String {
        String(name.uppercased().map { glyphs[$0] == nil ? " " : $0 })
    }
}
