import CKernels
import Glibc

/// Mel spectrogram to the magnitudes of its Fourier transform: of all that the filters would sum up to the same bands,
/// smooth ones.
///
/// Lee & Seung's multiplicative updates for the Kullback–Leibler divergence (2001), from what each bin's bands say of it.
/// Bands leave much open; librosa's `mel_to_stft` starts its least squares from the pseudo-inverse, which leaves holes
/// between them.
struct MelInversion: Sendable {
    private let filters: MelFilterBank
    private let bins: Int
    /// For each band, what a spectrum of ones gives it.
    private let widths: [Float]
    /// For each bin, the inverse of what it gives to all bands; 0 if nothing.
    private let gains: [Float]

    /// Updates after which little more changes.
    private static let updates = 12
    private static let least: Float = 1e-12

    init(_ geometry: LogMelSpectrogram.Geometry) {
        filters = MelFilterBank(
            slaney: geometry.bands, frequencies: geometry.frequencies, fftLength: geometry.fftLength,
            sampleRate: geometry.sampleRate)
        bins = geometry.fftLength / 2 + 1
        widths = filters.bands.map { Float($0.weights.reduce(0, +)) }
        var given = [Double](repeating: 0, count: bins)
        for band in filters.bands {
            for (offset, weight) in band.weights.enumerated() { given[band.firstBin + offset] += weight }
        }
        gains = given.map { $0 > 0 ? Float(1 / $0) : 0 }
    }

    /// - Parameters:
    ///   - mel: natural logarithms of sums of magnitudes, `[frames, bands]`.
    ///   - stride: numbers from one bin to the next, at least the number of frames.
    /// - Returns: `[bins, stride]`, zero behind the last frame.
    func magnitudes(_ mel: ArraySlice<Float>, stride: Int) -> [Float] {
        let bandCount = filters.bands.count
        let frames = mel.count / max(bandCount, 1)
        // Bands side by side, as bins will be.
        var wanted = [Float](repeating: 0, count: bandCount * stride)
        for frame in 0..<frames {
            for band in 0..<bandCount {
                wanted[band * stride + frame] = exp(mel[mel.startIndex + frame * bandCount + band])
            }
        }
        var found = [Float](repeating: 1, count: bandCount * stride)
        for band in 0..<bandCount {
            for index in band * stride..<(band + 1) * stride { found[index] = widths[band] }
        }
        var magnitudes = [Float](repeating: 1, count: bins * stride)
        var factors = [Float](repeating: 0, count: bins * stride)
        for update in 0...Self.updates {
            if update > 0 { sum(magnitudes, into: &found, stride) }
            Self.divide(wanted, by: &found)
            transpose(found, into: &factors, stride)
            multiply(&magnitudes, by: factors, stride)
        }
        return magnitudes
    }

    /// Bands of magnitudes.
    private func sum(_ magnitudes: [Float], into sums: inout [Float], _ stride: Int) {
        let accumulate = kernels_current().pointee.accumulate
        magnitudes.withUnsafeBufferPointer { magnitudes in
            sums.withUnsafeMutableBufferPointer { sums in
                guard let source = magnitudes.baseAddress, let target = sums.baseAddress else { return }
                for (index, band) in filters.bands.enumerated() {
                    for (offset, weight) in band.weights.enumerated() {
                        accumulate(
                            source + (band.firstBin + offset) * stride, stride, Float(weight), offset == 0,
                            target + index * stride)
                    }
                }
            }
        }
    }

    /// To every bin, what each band would give it.
    private func transpose(_ sums: [Float], into magnitudes: inout [Float], _ stride: Int) {
        let accumulate = kernels_current().pointee.accumulate
        sums.withUnsafeBufferPointer { sums in
            magnitudes.withUnsafeMutableBufferPointer { magnitudes in
                guard let source = sums.baseAddress, let target = magnitudes.baseAddress else { return }
                target.update(repeating: 0, count: magnitudes.count)
                for (index, band) in filters.bands.enumerated() {
                    for (offset, weight) in band.weights.enumerated() {
                        accumulate(
                            source + index * stride, stride, Float(weight), false,
                            target + (band.firstBin + offset) * stride)
                    }
                }
            }
        }
    }

    /// Leaves quotients in the place of the divisors.
    private static func divide(_ values: [Float], by divisors: inout [Float]) {
        values.withUnsafeBufferPointer { values in
            divisors.withUnsafeMutableBufferPointer { divisors in
                for index in values.indices { divisors[index] = values[index] / max(divisors[index], least) }
            }
        }
    }

    private func multiply(_ magnitudes: inout [Float], by factors: [Float], _ stride: Int) {
        magnitudes.withUnsafeMutableBufferPointer { magnitudes in
            factors.withUnsafeBufferPointer { factors in
                for bin in 0..<bins {
                    let gain = gains[bin]
                    for index in bin * stride..<(bin + 1) * stride { magnitudes[index] *= gain * factors[index] }
                }
            }
        }
    }
}
