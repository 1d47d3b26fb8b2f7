import Tensors

/// A tensor whose elements lie one after the other in a file.
struct FileTensor: SourceTensor {
    let key: String
    let type: ElementType
    let shape: Shape
    let input: InputFile
    /// First byte in the file; the tensor's bytes have been checked to lie in the file.
    let start: Int

    var location: String { "\(input.name): tensor \(key.quoted)" }

    func read(_ range: Range<Int>, into buffer: UnsafeMutableBufferPointer<Float>) throws {
        precondition(range.lowerBound >= 0 && range.upperBound <= shape.count && range.count == buffer.count)
        let width = type.byteCount
        try withUnsafeTemporaryAllocation(byteCount: min(range.count * width, 1 << 18), alignment: 16) { scratch in
            let step = scratch.count / width
            for first in stride(from: 0, to: range.count, by: max(step, 1)) {
                let part = UnsafeMutableBufferPointer(rebasing: buffer[first..<min(first + step, range.count)])
                let bytes = UnsafeMutableRawBufferPointer(rebasing: scratch[..<(part.count * width)])
                try input.read(at: start + (range.lowerBound + first) * width, into: bytes)
                type.expand(UnsafeRawBufferPointer(bytes), into: part)
            }
        }
    }
}
