import Tensors

/// Finds numbers in stored weights that no computation survives: an infinite scale, a norm that is not a number. Checksums say
/// that they are what was written, not that they make sense.
enum FiniteNumbers {
    /// - Parameters:
    ///   - bytes: of a stored weight, from byte `start` on; a multiple of a number's size.
    /// - Returns: the place of the first number, among the weight's floats or its scales, that is infinite or none; or nil.
    static func firstFault(
        in bytes: UnsafeRawBufferPointer, from start: Int, of description: WeightDescription
    ) -> String? {
        switch description.format {
        case .float32: return firstFault(bytes, start, "number", exponent: UInt32(0x7F80_0000))
        case .float16: return firstFault(bytes, start, "number", exponent: UInt16(0x7C00))
        case .int8:
            let layout = Int8Layout(role: description.role)
            let scales = layout.scalesOffset..<layout.scalesOffset + 4 * layout.paddedOutputs
            let here = scales.clamped(to: start..<start + bytes.count)
            guard !here.isEmpty else { return nil }
            let part = UnsafeRawBufferPointer(rebasing: bytes[here.lowerBound - start..<here.upperBound - start])
            return firstFault(part, here.lowerBound - scales.lowerBound, "scale", exponent: UInt32(0x7F80_0000))
        }
    }

    /// - Parameter exponent: its bits, all of which are set in infinities and what is not a number.
    private static func firstFault<Word: FixedWidthInteger & UnsignedInteger>(
        _ bytes: UnsafeRawBufferPointer, _ start: Int, _ kind: String, exponent: Word
    ) -> String? {
        bytes.withMemoryRebound(to: Word.self) { words in
            // One more in the lowest bit carries into the sign's where all bits are set. Without a branch, for vectors.
            let lowest = exponent & (0 &- exponent)
            var carries: Word = 0
            for word in words { carries |= (word & exponent) &+ lowest }
            guard carries >> (Word.bitWidth - 1) != 0 else { return nil }
            let place = words.firstIndex { $0 & exponent == exponent } ?? 0
            return "\(kind) \(start / MemoryLayout<Word>.size + place) is infinite or not a number"
        }
    }
}
