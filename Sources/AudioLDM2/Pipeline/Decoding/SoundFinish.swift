import Audio
import Glibc

/// The last touch to a sound on its way out: what exceeds full scale is made quieter, ends are faded, its rate is changed, and
/// its level is taken, or set if all of it is held.
///
/// Blocks of a sound that is held whole share one gain, so that nothing pumps. Of a sound that leaves while it is made, a
/// block is kept back until the next is known; the gain falls before a louder one and never rises again.
package struct SoundFinish {
    private let holdsAll: Bool
    /// Of a sound that is held whole.
    private let mastering: Mastering?
    private var resampler: Resampler
    /// The highest peak; nil for any.
    private let ceiling: Float?
    private let fadeIn: Int
    private let fadeOut: Int
    private let fade: Fades
    /// Samples that have left, before their rate was changed.
    private var left = 0
    private var held: [Float] = []
    /// At the end of what has left.
    private var gain: Float = 1
    /// What the held samples need.
    private var heldGain: Float = 1
    private var energy = 0.0
    private var taken = 0
    /// Samples that have left.
    package private(set) var delivered = 0
    /// By how many decibels the level had to stay below what was asked for.
    package private(set) var shortfall = 0.0

    /// Below full scale by one decibel.
    package static let ceiling: Float = 0.891_250_94
    /// Root mean square below which a sound is silent: −60 dB of full scale.
    private static let silence = 1e-3

    /// - Parameters:
    ///   - total: samples of the whole sound.
    ///   - holdsAll: whether no sample leaves before all are known.
    ///   - ceiling: nil to leave peaks as they are.
    ///   - fadeIn: samples of the fade at the start.
    ///   - fadeOut: samples of the fade at the end.
    ///   - rates: in Hz, of the samples that are taken and of those that leave; nil if they are the same.
    ///   - mastering: what is done with all of the sound, which is held for it.
    package init(
        total: Int, holdsAll: Bool, ceiling: Float?, fadeIn: Int, fadeOut: Int, rates: (from: Int, to: Int)? = nil,
        mastering: Mastering? = nil
    ) {
        self.holdsAll = holdsAll || mastering != nil
        self.ceiling = ceiling
        self.mastering = mastering
        (self.fadeIn, self.fadeOut) = (fadeIn, fadeOut)
        fade = Fades(total: total, fadeIn: fadeIn, fadeOut: fadeOut)
        resampler = Resampler(from: rates?.from ?? 1, to: rates?.to ?? 1)
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
        if let mastering {
            let (samples, shortfall) = mastering(
                heldGain == 1 ? held : held.map { heldGain * $0 }, fadeIn: fadeIn, fadeOut: fadeOut)
            held = []
            self.shortfall = shortfall
            return try deliver(samples, emit: emit)
        }
        if holdsAll { gain = heldGain }
        try release(reaching: heldGain, emit: emit)
        let rest = resampler.finish()
        if !rest.isEmpty { try deliver(rest, emit: emit) }
    }

    private mutating func deliver(_ samples: [Float], emit: ([Float]) throws -> Void) rethrows {
        delivered += samples.count
        try emit(samples)
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
        try deliver(resampler.process(samples), emit: emit)
    }
}
