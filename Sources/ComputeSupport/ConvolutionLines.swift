/// A convolution's results as lines that follow one another in time, and which lines of the input these read: a
/// position each of what runs along time alone, a row of positions of a picture.
package struct ConvolutionLines: Sendable {
    /// Of one sample's results.
    package let count: Int
    /// Rows of the result in a line.
    package let outputs: Int
    /// Stored rows of the input in one of its lines.
    package let inputs: Int
    /// Lines of the input (resized) from one line of results to the next.
    package let stride: Int
    /// Lines before the input's first.
    package let padding: Int
    /// Lines of the input (resized) that a line of results reads beside its first.
    package let reach: Int
    /// The input's lines.
    package let axis: SourceAxis

    /// The stored input rows, of a sample, that some lines of results read; none if they read padding alone.
    package func inputRows(of lines: Range<Int>) -> Range<Int> {
        let first = lines.lowerBound * stride - padding
        let stored = axis.stored(first..<first + (lines.count - 1) * stride + reach + 1)
        return stored.lowerBound * inputs..<stored.upperBound * inputs
    }
}

/// The stored row or column behind each (resized) one.
///
/// PyTorch's "nearest": the source of `i` is `⌊i · size / resized⌋`, computed in float32.
package struct SourceAxis: Sendable {
    /// As stored.
    package let size: Int
    /// As read.
    package let count: Int
    /// Stored / resized.
    package let scale: Float
    @usableFromInline let sources: [Int]?

    init(_ size: Int, resizedTo resized: Int) {
        (self.size, count) = (size, resized)
        let scale = Float(size) / Float(resized)
        self.scale = scale
        sources = size == resized ? nil : (0..<resized).map { min(Int(Float($0) * scale), size - 1) }
    }

    package var isResized: Bool { sources != nil }

    @inlinable package subscript(index: Int) -> Int { sources.map { $0[index] } ?? index }

    /// What is stored of a range that may reach beyond both ends.
    func stored(_ range: Range<Int>) -> Range<Int> {
        let inside = range.clamped(to: 0..<count)
        guard let last = inside.last else { return 0..<0 }
        return self[inside.lowerBound]..<self[last] + 1
    }
}
