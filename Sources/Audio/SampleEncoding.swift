import CSndfile

/// How samples are stored in a WAV, FLAC or AIFF file.
package enum SampleEncoding: String, CaseIterable, Sendable {
    case pcm16, pcm24
    /// Not in FLAC.
    case float32

    var byteCount: Int {
        switch self {
        case .pcm16: 2
        case .pcm24: 3
        case .float32: 4
        }
    }

    /// Whether what lies beyond ±1 is lost.
    var clips: Bool { self != .float32 }

    /// The nearest of a sample's numbers, of parts of 2¹⁵ or 2²³; what is beyond is clipped.
    func integer(_ sample: Float) -> Int32 {
        let whole: Double = self == .pcm16 ? 0x8000 : 0x80_0000
        return Int32(min((Double(max(sample, -1)) * whole).rounded(.toNearestOrEven), whole - 1))
    }

    /// A sample's bytes, the lowest first.
    func appendBytes(of sample: Float, to bytes: inout [UInt8]) {
        let bits = self == .float32 ? sample.bitPattern : UInt32(bitPattern: integer(sample))
        for place in 0..<byteCount { bytes.append(UInt8(truncatingIfNeeded: bits >> (8 * UInt32(place)))) }
    }

    /// Hands samples to libsndfile.
    /// - Returns: how many it took.
    func write(_ samples: ArraySlice<Float>, to file: OpaquePointer) -> Int {
        switch self {
        case .pcm16: Int(sf_write_float(file, samples.map(Self.rounded), sf_count_t(samples.count)))
        // A float has no more bits than these numbers, so that scaling one would round them.
        case .pcm24: Int(sf_write_int(file, samples.map { integer($0) << 8 }, sf_count_t(samples.count)))
        case .float32: Int(sf_write_float(file, Array(samples), sf_count_t(samples.count)))
        }
    }

    /// A sample that libsndfile writes as the number of 16 bits that it was read from. It reads integers as parts of 2¹⁵ and
    /// writes them as parts of 2¹⁵ − 1: what is louder than half would come back one step quieter.
    private static func rounded(_ sample: Float) -> Float {
        let whole: Float = 0x8000
        return min(max(sample, -1), (whole - 1) / whole) * (whole / (whole - 1))
    }
}
