import Glibc

/// Mel spectrogram to waveform without a trained vocoder.
///
/// A sound is made piece by piece, so that memory does not grow with its length and its first samples are there early:
/// a piece's frames lead on from the samples before it, which stay as they are, and look ahead at some frames of the next
/// (real-time iterative spectrogram inversion with look-ahead, Zhu, Beauregard & Wyse 2007). What was seen ahead is left
/// little by little: a search that was held to the given samples alone would break off where they end.
package struct GriffinLim: Sendable {
    let geometry: LogMelSpectrogram.Geometry
    let inversion: MelInversion
    let search: PhaseSearch
    /// Frames on either side of its own that a frame's correction depends on; nil if nothing is corrected.
    private let correctionReach: Int?
    var context: Int { correctionReach ?? 0 }

    /// Frames of a piece, and those of the next that it looks at.
    package static let pieceFrames = 256
    static let lookahead = 32

    /// - Parameters:
    ///   - geometry: of the spectrogram: magnitudes in Slaney's bands, natural logarithms.
    ///   - correctionReach: frames on either side of its own that a frame's correction depends on; nil if nothing is
    ///     corrected.
    package init(_ geometry: LogMelSpectrogram.Geometry, correctionReach: Int? = nil) {
        self.geometry = geometry
        self.correctionReach = correctionReach
        inversion = MelInversion(geometry)
        search = PhaseSearch(length: geometry.fftLength, hop: geometry.hop)
    }

    /// Frames of a loop that is made at once.
    package static let loopFrames = 1024

    /// Bytes that the work takes: the same for any length, but for loops that are made at once.
    package func byteCount(frames: Int, loops: Bool) -> Int {
        let corrected = correctionReach == nil ? 0 : mostCorrected(frames: frames, loops: loops)
        let frames = largestPiece(frames: frames, loops: loops)
        // Four spectra of magnitudes, a complex one and its copy.
        let spectra = 8 * search.bins * PhaseSearch.stride(frames)
        let signals = 6 * search.sampleCount(frames)
        // Corrections, and a copy of them.
        let corrections = 2 * corrected * (search.bins + geometry.bands)
        return (spectra + signals + corrections) * MemoryLayout<Float>.size
    }

    /// Frames whose corrections are asked for at once, at most.
    func mostCorrected(frames: Int, loops: Bool) -> Int {
        let most = largestPiece(frames: frames, loops: loops) + 2 * context
        return loops ? most : min(most, frames)
    }

    /// Frames of what is made at once, at most.
    func largestPiece(frames: Int, loops: Bool) -> Int {
        let piece = Self.pieceFrames + 2 * Self.lookahead + 2 * search.reach + 2
        return loops && frames <= Self.loopFrames ? max(frames, piece) : piece
    }
}

extension PhaseSearch {
    /// Frames on either side of its own that a sample is part of.
    var reach: Int { (length / 2 + hop - 1) / hop }
}

/// A spectrogram that comes in parts, on its way to a waveform.
package struct GriffinLimStream {
    private let vocoder: GriffinLim
    private let seed: UInt64
    /// Frames of the whole.
    private let frames: Int
    /// The first frame follows the last.
    private let loops: Bool
    /// Logarithms of bands, row by row, of all frames from `firstFrame` on that have come.
    private var mel: [Float] = []
    private var firstFrame = 0
    /// Frames whose samples have been given.
    private var done = 0
    /// The last samples that have been given.
    private var given: [Float] = []
    /// The first samples of all, and of a loop what comes before them, as the first piece saw it.
    private var head: [Float] = []
    private var lead: [Float] = []
    /// What comes after the given samples, as the last piece saw it.
    private var foreseen: [Float] = []

    /// - Parameters:
    ///   - frames: of the whole spectrogram.
    ///   - loops: whether the sound's end leads back to its start; then all frames are needed before the first piece.
    ///   - seed: of the phases that the search starts from.
    package init(_ vocoder: GriffinLim, frames: Int, loops: Bool = false, seed: UInt64) {
        self.vocoder = vocoder
        self.frames = frames
        self.loops = loops
        self.seed = seed
    }

    private var search: PhaseSearch { vocoder.search }
    private var hop: Int { search.hop }
    private var half: Int { search.length / 2 }
    private var bands: Int { vocoder.geometry.bands }
    private var known: Int { firstFrame + mel.count / bands }

    /// - Parameter rows: the next frames, `[frames, bands]`, natural logarithms.
    package mutating func append(_ rows: [Float]) { mel += rows }

    /// Bands of the frames whose corrections are asked for at once, at most.
    package var mostCorrected: Int { vocoder.mostCorrected(frames: frames, loops: loops) * bands }

    /// What to add to the natural logarithms of magnitudes, `[frames, bins]`, of some frames, `[frames, bands]`; nil for
    /// nothing.
    package typealias Correction = (_ rows: [Float]) throws -> [Float]?

    /// The samples of the next piece, `hop` for each of its frames; in −1…1 as far as the spectrogram says so.
    /// - Parameter correction: of the magnitudes that are searched for.
    /// - Returns: nil if frames are missing, or all samples have been given.
    /// - Throws: what `correction` throws.
    package mutating func next(correcting correction: Correction) rethrows -> [Float]? {
        guard done < frames else { return nil }
        let end = min(done + GriffinLim.pieceFrames, frames)
        guard known >= (loops ? frames : min(end + GriffinLim.lookahead + vocoder.context, frames))
        else { return nil }
        if loops, frames <= GriffinLim.loopFrames { return try loop(correction) }
        return try piece(to: end, correction)
    }

    /// The same without corrections.
    package mutating func next() -> [Float]? { next { _ in nil } }

    private mutating func piece(to end: Int, _ correction: Correction) rethrows -> [Float] {
        let (isFirst, isLast) = (done == 0, end == frames)
        let start = done * hop
        // Frames that reach beyond the given samples, and those of the end that lead to the first.
        let first = isFirst ? (loops ? -GriffinLim.lookahead : 0) : max((start - half + hop) / hop, 0)
        let last = isLast ? (loops ? frames + search.reach : frames) : min(end + GriffinLim.lookahead, frames)
        let base = first * hop - half
        let count = last - first
        let fixed = isFirst ? 0 : start - base
        var signal = [Float](repeating: 0, count: search.sampleCount(count))
        // Before the sound's first sample there is nothing.
        let before = given.suffix(fixed)
        signal.replaceSubrange(fixed - before.count..<fixed, with: before)
        let ahead = foreseen.prefix(signal.count - start + base)
        signal.replaceSubrange(start - base..<start - base + ahead.count, with: ahead)
        let known = foreseen.isEmpty ? 0 : max((start + foreseen.count - half) / hop - first, 0)
        let back = loops && isLast ? frames * hop - base : signal.count
        let behind = head.prefix(max(signal.count - back, 0))
        let led = isLast ? lead.suffix(max(back - fixed, 0)) : []
        let weights = search.weights(frames: count)
        let (aheadShares, ledShares) = (Self.shares(ahead.count), Self.shares(led.count))
        search.run(
            try magnitudes(first..<last, correction), frames: count,
            known: min(known, count), signal: &signal, seed: seed &+ UInt64(done)
        ) { sums in
            for index in sums.indices { sums[index] = weights[index] > Self.least ? sums[index] / weights[index] : 0 }
            for index in 0..<fixed { sums[index] = 0 }
            for (index, value) in before.enumerated() { sums[fixed - before.count + index] = value }
            for (index, value) in behind.enumerated() { sums[back + index] = value }
            Self.lean(sums, from: fixed, to: ahead, by: aheadShares)
            Self.lean(sums, from: back - 1, to: led.reversed(), by: ledShares, step: -1)
        }
        let samples = Array(signal[start - base..<end * hop - base])
        if isFirst, loops {
            head = Array(samples.prefix(search.length))
            lead = Array(signal[half..<start - base])
        }
        given = Array((given + samples).suffix(search.length))
        let seen = isLast ? end * hop : max(last * hop - half, end * hop)
        foreseen = Array(signal[end * hop - base..<seen - base])
        done = end
        if !loops { forget() }
        return samples
    }

    /// Brings samples near to what was seen of them.
    /// - Parameter start: place of the first of `seen`; the others follow it, in this or the other direction.
    private static func lean(
        _ sums: UnsafeMutableBufferPointer<Float>, from start: Int, to seen: some Collection<Float>, by shares: [Float],
        step: Int = 1
    ) {
        for (index, (value, share)) in zip(seen, shares).enumerated() {
            let place = start + step * index
            sums[place] += share * (value - sums[place])
        }
    }

    /// How much of what was seen is kept: all beside samples that are given, less and less away from them.
    private static func shares(_ count: Int) -> [Float] {
        (0..<count).map { 0.5 + 0.5 * cos(Float.pi * Float($0 + 1) / Float(count + 1)) }
    }

    /// All of a short loop: its signal goes around, and so do its frames.
    private mutating func loop(_ correction: Correction) rethrows -> [Float] {
        let count = frames * hop
        let weights = search.weights(frames: frames)
        var around = [Float](repeating: 0, count: count)
        for (index, weight) in weights.enumerated() { around[Self.place(index - half, in: count)] += weight }
        var signal = [Float](repeating: 0, count: weights.count)
        var folded = [Float](repeating: 0, count: count)
        search.run(
            try magnitudes(0..<frames, correction), frames: frames,
            known: 0, signal: &signal, seed: seed
        ) { sums in
            for index in folded.indices { folded[index] = 0 }
            for index in sums.indices { folded[Self.place(index - half, in: count)] += sums[index] }
            for index in folded.indices { folded[index] /= max(around[index], Self.least) }
            for index in sums.indices { sums[index] = folded[Self.place(index - half, in: count)] }
        }
        done = frames
        return folded
    }

    /// Sums of windows below this are of samples that no frame says anything of.
    private static let least: Float = 1e-3

    private static func place(_ index: Int, in count: Int) -> Int { ((index % count) + count) % count }

    /// Magnitudes of some frames: `[bins, stride]`.
    private func magnitudes(_ range: Range<Int>, _ correction: Correction) rethrows -> [Float] {
        let stride = PhaseSearch.stride(range.count)
        var magnitudes = vocoder.inversion.magnitudes(rows(range), stride: stride)
        let context = vocoder.context
        // What does not go around ends where the sound ends.
        let seen =
            loops
            ? range.lowerBound - context..<range.upperBound + context
            : max(range.lowerBound - context, 0)..<min(range.upperBound + context, frames)
        guard let logarithms = try correction(Array(rows(seen))) else { return magnitudes }
        let bins = search.bins
        for frame in range {
            let row = (frame - seen.lowerBound) * bins
            for bin in 0..<bins { magnitudes[bin * stride + frame - range.lowerBound] *= exp(logarithms[row + bin]) }
        }
        return magnitudes
    }

    /// Frames of the spectrogram, around if it loops.
    private func rows(_ range: Range<Int>) -> ArraySlice<Float> {
        if range.lowerBound >= firstFrame, range.upperBound <= known {
            return mel[(range.lowerBound - firstFrame) * bands..<(range.upperBound - firstFrame) * bands]
        }
        return ArraySlice(
            range.flatMap { frame in
                let place = Self.place(frame, in: frames)
                return mel[place * bands..<(place + 1) * bands]
            })
    }

    /// Drops the frames that no later piece reads.
    private mutating func forget() {
        let needed = max(done - search.reach - 1 - vocoder.context, firstFrame)
        mel.removeFirst((needed - firstFrame) * bands)
        firstFrame = needed
    }
}
