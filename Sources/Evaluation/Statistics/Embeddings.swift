/// Vectors of one width, float32, row by row: what a judge makes of sounds, or logits.
public struct Embeddings: Sendable, Equatable {
    /// Numbers of a row, 1 or more.
    public let width: Int
    /// `[rows, width]`
    public private(set) var values: [Float]

    /// Number of rows.
    public var rowCount: Int { values.count / width }

    /// - Throws: `EvaluationError` for values that are not whole rows, or not all finite.
    public init(width: Int, values: [Float] = []) throws {
        guard width > 0, values.count % width == 0 else {
            throw EvaluationError.shape("\(values.count) numbers are no rows of \(width)")
        }
        guard values.allSatisfy(\.isFinite) else {
            throw EvaluationError.notFinite("an embedding holds a number that is infinite or not a number")
        }
        (self.width, self.values) = (width, values)
    }

    /// - Throws: `EvaluationError.shape` for rows of another width.
    public mutating func append(_ other: Embeddings) throws {
        guard other.width == width else {
            throw EvaluationError.shape("rows of \(other.width) beside rows of \(width)")
        }
        values += other.values
    }

    subscript(row: Int) -> ArraySlice<Float> { values[row * width..<(row + 1) * width] }

    /// The rows of these numbers, in their order; one may come more than once.
    package func rows(_ indices: some Collection<Int>) -> Embeddings {
        var result = self
        result.values = []
        result.values.reserveCapacity(indices.count * width)
        for index in indices { result.values += self[index] }
        return result
    }

    /// As float64.
    var matrix: Matrix {
        var matrix = Matrix(zeros: rowCount, width)
        for index in values.indices { matrix.values[index] = Double(values[index]) }
        return matrix
    }

    /// Each number as float16 has it, as fadtk keeps embeddings.
    func roundedToHalf() throws -> Embeddings {
        try Embeddings(width: width, values: values.map { Float16Rounding.round($0) })
    }

    /// The mean of all rows, as one row.
    func mean() -> [Float] {
        var sums = [Double](repeating: 0, count: width)
        for row in 0..<rowCount { for (index, value) in self[row].enumerated() { sums[index] += Double(value) } }
        return sums.map { Float($0 / Double(max(rowCount, 1))) }
    }
}

/// Float16 without the type, which Swift has not on every platform.
package enum Float16Rounding {
    /// The nearest number that float16 has, ties to even.
    package static func round(_ value: Float) -> Float {
        guard value.isFinite, value != 0 else { return value }
        // Ten bits behind the leading one, and no exponent below −14.
        let exponent = max(Int(value.exponent), -14)
        let step = Float(sign: .plus, exponent: exponent - 10, significand: 1)
        let rounded = (value / step).rounded(.toNearestOrEven) * step
        return abs(rounded) > 65504 ? (value < 0 ? -Float.infinity : Float.infinity) : rounded
    }
}
