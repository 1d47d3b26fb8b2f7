import Glibc

/// The palette of spectrograms: a scale of colours for levels, and greys for what is written beside it.
package enum PictureColours {
    package static let levelCount = 208
    private static let greyCount = 256 - levelCount

    package static let palette: [SIMD3<UInt8>] =
        (0..<levelCount).map { levelColour(Double($0) / Double(levelCount - 1)) }
        + (0..<greyCount).map { index in
            let share = Double(index) / Double(greyCount - 1)
            return colour(lightness: 0.995 - 0.72 * share, chroma: 0.012 * share, hue: 280)
        }

    static let paper = UInt8(levelCount)

    /// - Parameter level: 0…1.
    package static func level(_ level: Double) -> UInt8 {
        UInt8((min(max(level.isNaN ? 0 : level, 0), 1) * Double(levelCount - 1)).rounded())
    }

    /// - Parameter coverage: how much of a pixel is ink, 0…1.
    static func ink(_ coverage: Double) -> UInt8 {
        paper + UInt8((min(max(coverage, 0), 1) * Double(greyCount - 1)).rounded())
    }

    /// From nearly black through violet and orange to a pale yellow: evenly rising in perceived lightness.
    private static func levelColour(_ level: Double) -> SIMD3<UInt8> {
        let chroma = 0.035 + 0.175 * sin(Double.pi * pow(level, 0.85)) - 0.02 * level
        return colour(lightness: 0.13 + 0.85 * level, chroma: max(chroma, 0.03), hue: 285 + 175 * pow(level, 1.15))
    }

    /// From OKLCh (Björn Ottosson, "A perceptual color space for image processing", 2020) to sRGB.
    private static func colour(lightness: Double, chroma: Double, hue: Double) -> SIMD3<UInt8> {
        let angle = hue * Double.pi / 180
        let (a, b) = (chroma * cos(angle), chroma * sin(angle))
        func cube(_ x: Double) -> Double { x * x * x }
        let l = cube(lightness + 0.3963377774 * a + 0.2158037573 * b)
        let m = cube(lightness - 0.1055613458 * a - 0.0638541728 * b)
        let s = cube(lightness - 0.0894841775 * a - 1.2914855480 * b)
        return SIMD3(
            byte(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
            byte(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
            byte(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s))
    }

    private static func byte(_ linear: Double) -> UInt8 {
        let value = linear <= 0.0031308 ? 12.92 * linear : 1.055 * pow(linear, 1 / 2.4) - 0.055
        return UInt8((min(max(value, 0), 1) * 255).rounded())
    }
}
