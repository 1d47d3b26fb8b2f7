import CKernels
import Glibc

/// Phases for magnitudes: signal and spectrum are made to agree, step by step.
///
/// Griffin & Lim 1984; with momentum, Perraudin, Balazs & Søndergaard 2013. librosa `griffinlim`.
struct PhaseSearch: Sendable {
    let length: Int
    let hop: Int
    private let window: AlignedNumbers<Float>
    private let turns: AlignedNumbers<Float>
    private let order: AlignedNumbers<UInt32>

    static let iterations = 24
    /// librosa's momentum of 0.99, of which it takes off this share of the spectrum before.
    private static let share: Float = 0.99 / 1.99

    /// - Parameters:
    ///   - length: samples of a frame: a power of 2, at least 16.
    ///   - hop: from one frame to the next.
    init(length: Int, hop: Int) {
        self.length = length
        self.hop = hop
        let half = length / 2
        let step = 2 * Double.pi / Double(length)
        window = AlignedNumbers((0..<length).map { Float(0.5 - 0.5 * cos(step * Double($0))) })
        turns = AlignedNumbers(
            (0..<half).flatMap { [Float(cos(step * Double($0))), Float(-sin(step * Double($0)))] })
        let bits = half.trailingZeroBitCount
        order = AlignedNumbers(
            (0..<half).map { index in
                (0..<bits).reduce(0) { $0 | UInt32(index >> $1 & 1) << UInt32(bits - 1 - $1) }
            })
    }

    var bins: Int { length / 2 + 1 }

    /// Frames for which memory is laid out.
    static func stride(_ frames: Int) -> Int {
        let unit = Int(KERNELS_FRAMES_AT_ONCE)
        return (frames + unit - 1) / unit * unit
    }

    /// Samples of a signal of so many frames, padding included.
    func sampleCount(_ frames: Int) -> Int { (Self.stride(frames) - 1) * hop + length }

    /// - Parameters:
    ///   - magnitudes: `[bins, stride]`.
    ///   - frames: that are there; the first begins with the signal.
    ///   - known: frames whose phases are those of the signal from the start; those of the others are drawn.
    ///   - signal: what is known of it, zero elsewhere; what it becomes.
    ///   - seed: of the drawing.
    ///   - settle: called after each step to put right what is known of the signal. It gets weighted sums of frames.
    func run(
        _ magnitudes: [Float], frames: Int, known: Int, signal: inout [Float], seed: UInt64,
        settle: (UnsafeMutableBufferPointer<Float>) -> Void
    ) {
        let stride = Self.stride(frames)
        let scratch = AlignedNumbers<Float>(count: length * Int(KERNELS_FRAMES_AT_ONCE))
        let (before, after) = (AlignedNumbers(signal), AlignedNumbers<Float>(count: signal.count))
        let wanted = AlignedNumbers(magnitudes)
        let previous = AlignedNumbers(drawn(magnitudes, known..<max(frames, known), stride, seed: seed))
        var arguments = kernels_phase_step()
        arguments.length = length
        arguments.hop = hop
        arguments.frames = frames
        arguments.stride = stride
        arguments.window = window.start
        arguments.turns = turns.start
        arguments.order = order.start
        arguments.magnitudes = wanted.start
        arguments.previous = previous.values.baseAddress
        arguments.scratch = UnsafeMutableRawPointer(scratch.values.baseAddress)
        let kernel = kernels_current().pointee.step_phases
        for iteration in 0...Self.iterations {
            let (source, target) = iteration % 2 == 0 ? (before, after) : (after, before)
            // What was drawn is added to the signal's spectrum at first; nothing came before the next.
            arguments.momentum = iteration == 0 ? -1 : iteration == 1 ? 0 : Self.share
            arguments.signal = source.start
            arguments.y = target.values.baseAddress
            target.values.update(repeating: 0)
            withExtendedLifetime((self, wanted, previous, scratch)) { kernel(&arguments) }
            settle(target.values)
        }
        signal = Array((Self.iterations % 2 == 0 ? after : before).values)
    }

    /// Random spectra of the right magnitude for some frames, zero for the others: `[bins, 2, stride]`.
    private func drawn(_ magnitudes: [Float], _ frames: Range<Int>, _ stride: Int, seed: UInt64) -> [Float] {
        var generator = SplitMix(state: seed)
        var values = [Float](repeating: 0, count: bins * 2 * stride)
        for bin in 0..<bins {
            let isReal = bin == 0 || bin == bins - 1
            for frame in frames {
                let magnitude = magnitudes[bin * stride + frame]
                let number = generator.next()
                let (real, imaginary) = (Int32(truncatingIfNeeded: number), Int32(truncatingIfNeeded: number >> 32))
                values[2 * bin * stride + frame] = magnitude * Float(real) * 0x1p-31
                values[(2 * bin + 1) * stride + frame] = isReal ? 0 : magnitude * Float(imaginary) * 0x1p-31
            }
        }
        return values
    }

    /// For each sample of a signal, what its frames' windows sum up to.
    func weights(frames: Int) -> [Float] {
        var sums = [Float](repeating: 0, count: sampleCount(frames))
        for frame in 0..<frames {
            for (index, value) in window.values.enumerated() { sums[frame * hop + index] += value * value }
        }
        return sums
    }
}

/// Plain numbers at an address that is a multiple of 64, as kernels read them.
private final class AlignedNumbers<Element: BitwiseCopyable>: @unchecked Sendable {
    // Unchecked: what is shared is never written.
    let values: UnsafeMutableBufferPointer<Element>

    /// - Parameter count: of zeros; not 0.
    init(count: Int) {
        let bytes = UnsafeMutableRawBufferPointer.allocate(
            byteCount: count * MemoryLayout<Element>.stride, alignment: 64)
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
        values = bytes.assumingMemoryBound(to: Element.self)
    }

    convenience init(_ elements: [Element]) {
        self.init(count: elements.count)
        _ = values.update(from: elements)
    }

    deinit { values.deallocate() }

    var start: UnsafePointer<Element>? { UnsafePointer(values.baseAddress) }
}

/// Steele, Lea & Flood 2014: a stream of random numbers for each seed.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
