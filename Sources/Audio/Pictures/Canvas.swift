/// Where a picture is drawn: levels as colours, lines and texts in ink.
struct Canvas {
    let width: Int
    let height: Int
    private(set) var pixels: [UInt8]

    enum Alignment { case left, centre, right }

    init(width: Int, height: Int) {
        (self.width, self.height) = (width, height)
        pixels = Array(repeating: PictureColours.paper, count: width * height)
    }

    var picture: IndexedPicture {
        IndexedPicture(width: width, height: height, pixels: pixels, palette: PictureColours.palette)
    }

    /// - Parameter level: 0…1.
    mutating func setLevel(_ level: Double, x: Int, y: Int) { pixels[y * width + x] = PictureColours.level(level) }

    /// Covers a rectangle with ink.
    mutating func fill(x: Range<Int>, y: Range<Int>, ink: Double = 1) {
        for row in y { for column in x { cover(column, row, ink) } }
    }

    /// A round dot.
    mutating func dot(x: Double, y: Double, radius: Double, ink: Double = 1) {
        for row in Int(y - radius - 1)...Int(y + radius + 1) {
            for column in Int(x - radius - 1)...Int(x + radius + 1) {
                let (a, b) = (Double(column) + 0.5 - x, Double(row) + 0.5 - y)
                cover(column, row, min(radius + 0.5 - (a * a + b * b).squareRoot(), 1) * ink)
            }
        }
    }

    /// Writes a text.
    /// - Parameters:
    ///   - x: of its left end, centre or right end.
    ///   - middle: half the height of its capitals.
    ///   - size: height of its capitals in pixels.
    mutating func write(_ text: String, x: Double, middle: Double, size: Double, _ alignment: Alignment) {
        let scale = size / StrokeFont.capHeight
        let width = StrokeFont.width(of: text) * scale
        var origin = SIMD2(x, middle - size / 2)
        switch alignment {
        case .left: break
        case .centre: origin.x -= width / 2
        case .right: origin.x -= width
        }
        for character in text {
            let glyph = StrokeFont.glyphs[character] ?? StrokeFont.Glyph(width: 2, strokes: [])
            for stroke in glyph.strokes { draw(stroke.map { origin + scale * $0 }, thickness: size / 7) }
            origin.x += scale * (glyph.width + StrokeFont.spacing)
        }
    }

    /// A line through points, with round ends and smooth borders.
    private mutating func draw(_ points: [SIMD2<Double>], thickness: Double) {
        guard let first = points.first else { return }
        let low = points.reduce(first) { SIMD2(min($0.x, $1.x), min($0.y, $1.y)) } - thickness
        let high = points.reduce(first) { SIMD2(max($0.x, $1.x), max($0.y, $1.y)) } + thickness
        for y in max(0, Int(low.y))...max(0, min(height - 1, Int(high.y) + 1)) {
            for x in max(0, Int(low.x))...max(0, min(width - 1, Int(high.x) + 1)) {
                let place = SIMD2(Double(x) + 0.5, Double(y) + 0.5)
                let distance = zip(points, points.dropFirst()).map { Self.distance(place, $0, $1) }.min() ?? .infinity
                cover(x, y, thickness / 2 + 0.5 - distance)
            }
        }
    }

    private mutating func cover(_ x: Int, _ y: Int, _ coverage: Double) {
        guard coverage > 0, (0..<width).contains(x), (0..<height).contains(y) else { return }
        let place = y * width + x
        pixels[place] = max(pixels[place], PictureColours.ink(coverage))
    }

    /// Of a point to the line from `a` to `b`.
    private static func distance(_ point: SIMD2<Double>, _ a: SIMD2<Double>, _ b: SIMD2<Double>) -> Double {
        let (direction, offset) = (b - a, point - a)
        let length = (direction * direction).sum()
        let share = length > 0 ? min(max((direction * offset).sum() / length, 0), 1) : 0
        let rest = offset - share * direction
        return (rest * rest).sum().squareRoot()
    }
}
