import FoundationEssentials
import Glibc

/// Factors that let a sound begin and end softly: a half of a cosine at either end.
package struct Fades: Sendable {
    private let total: Int
    private let fadeIn: Int
    private let fadeOut: Int

    /// - Parameters:
    ///   - total: samples of the sound.
    ///   - fadeIn: samples from silence at its start, cut to `total`.
    ///   - fadeOut: samples to silence at its end, cut to `total`.
    package init(total: Int, fadeIn: Int, fadeOut: Int) {
        self.total = total
        self.fadeIn = min(fadeIn, total)
        self.fadeOut = min(fadeOut, total)
    }

    package func callAsFunction(at place: Int) -> Float {
        let distance = total - 1 - place
        var factor: Float = 1
        if place < fadeIn { factor *= Self.raised(Float(place + 1) / Float(fadeIn + 1)) }
        if distance < fadeOut { factor *= Self.raised(Float(distance + 1) / Float(fadeOut + 1)) }
        return factor
    }

    private static func raised(_ share: Float) -> Float { 0.5 - 0.5 * cos(Float.pi * share) }
}
