import Glibc

/// The last touch to a sound on its way out: what exceeds full scale is made quieter, ends are faded, and its level is
/// taken.
///
/// Blocks of a sound that is held whole share one gain, so that nothing pumps. Of a sound that leaves while it is made, a
/// block is kept back until the next is known; the gain falls before a louder one and never rises again.
package struct SoundFinish {
    /// Samples of the whole sound.
    private let total: Int
    private let holdsAll: Bool
    /// The highest peak; nil for any.
    private let ceiling: Float?
    private let fadeIn: Int
    private let fadeOut: Int
    /// Samples that have left.
    private var left = 0
    private var held: [Float] = []
    /// At the end of what has left.
    private var gain: Float = 1
    /// What the held samples need.
    private var heldGain: Float = 1
    private var energy = 0.0
    private var taken = 0

    /// Below full scale by one decibel.
    package static let ceiling: Float = 0.891_250_94
    /// Root mean square below which a sound is silent: −60 dB of full scale.
    private static let silence = 1e-3

    /// - Parameters:
    ///   - holdsAll: whether no sample leaves before all are known.
    ///   - ceiling: nil to leave peaks as they are.
    ///   - fade: samples of the fade at the end.
    package init(total: Int, holdsAll: Bool, ceiling: Float?, fade: Int) {
        self.total = total
        self.holdsAll = holdsAll
        self.ceiling = ceiling
        fadeOut = min(fade, total)
        fadeIn = min(fade / 5, total)
    }

    /// Whether what has been taken so far is silent.
    package var isSilent: Bool { taken > 0 && (energy / Double(taken)).squareRoot() < Self.silence }

    /// - Parameter emit: gets samples that may leave.
    package mutating func take(_ block: [Float], emit: ([Float]) throws -> Void) rethrows {
        taken += block.count
        energy += block.reduce(0) { $0 + Double($1) * Double($1) }
        if holdsAll || ceiling == nil {
            held += block
            heldGain = min(heldGain, needed(block))
            if !holdsAll { try release(reaching: 1, emit: emit) }
            return
        }
        let next = min(heldGain, needed(block))
        try release(reaching: next, emit: emit)
        held = block
        heldGain = next
    }

    /// Lets the rest leave.
    package mutating func end(emit: ([Float]) throws -> Void) rethrows {
        if holdsAll { gain = heldGain }
        try release(reaching: heldGain, emit: emit)
    }

    private func needed(_ block: [Float]) -> Float {
        guard let ceiling, let peak = block.lazy.map(abs).max(), peak > ceiling else { return 1 }
        return ceiling / peak
    }

    /// Lets the held samples leave, while the gain goes from what it was to `next`.
    private mutating func release(reaching next: Float, emit: ([Float]) throws -> Void) rethrows {
        guard !held.isEmpty else {
            gain = min(gain, next)
            return
        }
        let step = (next - gain) / Float(held.count)
        for index in held.indices {
            held[index] *= (gain + step * Float(index + 1)) * fade(at: left + index)
        }
        gain = next
        left += held.count
        let samples = held
        held = []
        try emit(samples)
    }

    /// A half of a cosine at either end.
    private func fade(at place: Int) -> Float {
        let distance = total - 1 - place
        var factor: Float = 1
        if place < fadeIn { factor *= Self.raised(Float(place + 1) / Float(fadeIn + 1)) }
        if distance < fadeOut { factor *= Self.raised(Float(distance + 1) / Float(fadeOut + 1)) }
        return factor
    }

    private static func raised(_ share: Float) -> Float { 0.5 - 0.5 * cos(Float.pi * share) }
}
