import Glibc

/// Triangular filters that sum the bins of a spectrum into bands of equal width on a mel scale.
package struct MelFilterBank: Sendable {
    /// What a band takes of consecutive bins.
    struct Band {
        let firstBin: Int
        let weights: [Double]
    }
    let bands: [Band]

    package var bandCount: Int { bands.count }

    /// Slaney's scale and normalization (Auditory Toolbox, 1998): linear below 1 kHz, logarithmic above, each filter of
    /// area 1. librosa `filters.mel`.
    package init(slaney bands: Int, frequencies: ClosedRange<Double>, fftLength: Int, sampleRate: Int) {
        let places = Self.places(bands, frequencies, toMel: Self.slaneyMel)
        let edges = places.map(Self.slaneyHertz)
        let bins = (0...fftLength / 2).map { Double($0) * Double(sampleRate) / Double(fftLength) }
        self.bands = (0..<bands).map { band in
            Self.band(bins, edges[band], edges[band + 1], edges[band + 2], scale: 2 / (edges[band + 2] - edges[band]))
        }
    }

    /// Kaldi's: triangles on the scale `1127 ln(1 + f / 700)` itself, of height 1, without the bin at half the sample
    /// rate. torchaudio `compliance.kaldi.get_mel_banks`.
    package init(kaldi bands: Int, frequencies: ClosedRange<Double>, fftLength: Int, sampleRate: Int) {
        let places = Self.places(bands, frequencies, toMel: Self.kaldiMel)
        let bins = (0..<fftLength / 2).map { Self.kaldiMel(Double($0) * Double(sampleRate) / Double(fftLength)) }
        self.bands = (0..<bands).map { band in
            Self.band(bins, places[band], places[band + 1], places[band + 2], scale: 1)
        }
    }

    /// HTK's scale, triangles of height 1 over frequencies. torchaudio `melscale_fbanks` with its defaults.
    package init(htk bands: Int, frequencies: ClosedRange<Double>, fftLength: Int, sampleRate: Int) {
        let edges = Self.places(bands, frequencies, toMel: Self.kaldiMel).map { 700 * (exp($0 / 1127) - 1) }
        let bins = (0...fftLength / 2).map { Double($0) * Double(sampleRate) / Double(fftLength) }
        self.bands = (0..<bands).map { Self.band(bins, edges[$0], edges[$0 + 1], edges[$0 + 2], scale: 1) }
    }

    /// Filters that somebody else computed.
    /// - Parameter matrix: `[bins, bands]`, row by row.
    package init(matrix: [Float], bands: Int) {
        self.bands = (0..<bands).map { band in
            let weights = stride(from: band, to: matrix.count, by: bands).map { Double(matrix[$0]) }
            let first = weights.firstIndex { $0 != 0 } ?? 0
            let last = weights.lastIndex { $0 != 0 } ?? first - 1
            return Band(firstBin: first, weights: Array(weights[first..<max(last + 1, first)]))
        }
    }

    /// The bands of one spectrum.
    func apply(to spectrum: [Double], into sums: inout [Double]) {
        for (index, band) in bands.enumerated() {
            var sum = 0.0
            for (offset, weight) in band.weights.enumerated() { sum += weight * spectrum[band.firstBin + offset] }
            sums[index] = sum
        }
    }

    /// Edges and centres of all bands, evenly spaced on the mel scale.
    private static func places(
        _ bands: Int, _ frequencies: ClosedRange<Double>, toMel: (Double) -> Double
    ) -> [Double] {
        let (low, high) = (toMel(frequencies.lowerBound), toMel(frequencies.upperBound))
        return (0..<bands + 2).map { low + (high - low) * Double($0) / Double(bands + 1) }
    }

    /// - Parameter bins: rising.
    private static func band(_ bins: [Double], _ left: Double, _ centre: Double, _ right: Double, scale: Double) -> Band
    {
        // Only these can have a weight: of many bands of many bins most have none.
        let start = bins.firstPlace(where: { $0 > left })
        let inside = bins[start..<max(bins.firstPlace(where: { $0 >= right }), start)]
        let weights = inside.map { scale * max(0, min(($0 - left) / (centre - left), (right - $0) / (right - centre))) }
        guard let first = weights.firstIndex(where: { $0 > 0 }), let last = weights.lastIndex(where: { $0 > 0 }) else {
            return Band(firstBin: 0, weights: [])
        }
        return Band(firstBin: start + first, weights: Array(weights[first...last]))
    }

    private static func kaldiMel(_ hertz: Double) -> Double { 1127 * log(1 + hertz / 700) }

    private static let linearStep = 200.0 / 3
    private static let breakHertz = 1000.0
    private static let logStep = log(6.4) / 27

    package static func slaneyMel(_ hertz: Double) -> Double {
        hertz < breakHertz ? hertz / linearStep : breakHertz / linearStep + log(hertz / breakHertz) / logStep
    }

    private static func slaneyHertz(_ mel: Double) -> Double {
        let breakMel = breakHertz / linearStep
        return mel < breakMel ? mel * linearStep : breakHertz * exp(logStep * (mel - breakMel))
    }
}

extension [Double] {
    /// The place of the first number of which `isPast` is true, as it is of all behind it; the end if there is none.
    fileprivate func firstPlace(where isPast: (Double) -> Bool) -> Int {
        var (low, high) = (startIndex, endIndex)
        while low < high {
            let middle = low + (high - low) / 2
            if isPast(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
