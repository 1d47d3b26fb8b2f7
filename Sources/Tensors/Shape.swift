/// The extents of a tensor, outermost axis first.
///
/// Activations are channels last everywhere: `[batch, time, frequency, channels]` for pictures of sound,
/// `[batch, tokens, channels]` for sequences.
package struct Shape: Hashable, Sendable, ExpressibleByArrayLiteral, CustomStringConvertible {
    package var extents: [Int]

    package init(_ extents: [Int]) { self.extents = extents }
    package init(arrayLiteral elements: Int...) { extents = elements }

    package var rank: Int { extents.count }
    package var description: String { "[" + extents.map(String.init).joined(separator: ", ") + "]" }

    /// Number of elements. Only for shapes that were checked (`checkedCount`) or come from our own arithmetic.
    package var count: Int { extents.reduce(1, *) }

    /// Number of elements, or nil if an extent is negative or the product does not fit in an `Int`; where an extent is zero,
    /// that of the others, so that no part of the shape is more than can be counted.
    /// Use this on any shape that was read from a file.
    package var checkedCount: Int? {
        var product = 1
        for extent in extents {
            let (partial, overflow) = product.multipliedReportingOverflow(by: max(extent, 1))
            guard extent >= 0, !overflow else { return nil }
            product = partial
        }
        return extents.contains(0) ? 0 : product
    }

    /// Extent of the innermost axis: channels.
    package var last: Int { extents.last ?? 1 }

    /// Number of innermost rows: everything but the channels.
    package var rows: Int { extents.dropLast().reduce(1, *) }

    package subscript(_ axis: Int) -> Int {
        get { extents[axis] }
        set { extents[axis] = newValue }
    }

    /// The same shape with another number of channels.
    package func withLast(_ channels: Int) -> Shape {
        var copy = self
        copy.extents[copy.extents.count - 1] = channels
        return copy
    }
}
