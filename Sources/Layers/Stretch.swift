import Tensors

/// Some rows of a sequence that comes in pieces.
package struct Stretch: Sendable {
    /// `[1, rows.count, channels]`.
    package let tensor: Tensor
    /// Which of the sequence's rows these are, counted from its first.
    package let rows: Range<Int>
    /// Whether the sequence ends with them.
    package let isLast: Bool

    package init(_ tensor: Tensor, from first: Int = 0, isLast: Bool) {
        (self.tensor, self.isLast) = (tensor, isLast)
        rows = first..<first + tensor.shape[1]
    }

    package init(_ tensor: Tensor, endingAt last: Int, isLast: Bool) {
        self.init(tensor, from: last - tensor.shape[1], isLast: isLast)
    }

    /// Some of the rows, in place: `[1, range.count, channels]`.
    /// - Throws: `TensorError.shapeMismatch` for rows that are not there.
    package func callAsFunction(_ range: Range<Int>) throws -> Tensor {
        guard rows.lowerBound <= range.lowerBound, range.upperBound <= rows.upperBound else {
            throw TensorError.shapeMismatch(
                operation: "stretch", expected: "rows \(range) among \(rows)", found: tensor.shape)
        }
        let channels = tensor.shape.last
        let first = range.lowerBound - rows.lowerBound
        return try tensor.reshaped([rows.count, channels]).outermost(first..<first + range.count).reshaped(
            [1, range.count, channels])
    }

    /// The rows from `row` on, all if there are none before it, and one at least; copied so that the memory of the others can
    /// go.
    package func kept(from row: Int) throws -> Stretch {
        let first = max(min(row, rows.upperBound - 1), rows.lowerBound)
        let range = first - rows.lowerBound..<rows.count
        return Stretch(try tensor.slice(axis: 1, range), from: first, isLast: isLast)
    }

    /// The rows before `row`, in place.
    func cut(at row: Int) throws -> Stretch {
        Stretch(try self(rows.lowerBound..<row), from: rows.lowerBound, isLast: isLast)
    }

    /// - Throws: `TensorError.shapeMismatch` if a result of this input would not reach beyond its first rows.
    func requireMore(than first: Int, upTo last: Int) throws {
        guard first < last else {
            throw TensorError.shapeMismatch(
                operation: "stretch", expected: "enough rows after \(rows.lowerBound) for a result", found: tensor.shape
            )
        }
    }
}
