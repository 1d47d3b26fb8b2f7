/// A matrix of float64, row by row.
public struct Matrix: Sendable, Equatable {
    /// Number of rows.
    public let rows: Int
    /// Number of columns.
    public let columns: Int
    /// `[rows, columns]`
    public package(set) var values: [Double]

    /// - Parameter values: `rows · columns` of them.
    /// - Throws: `EvaluationError.shape` for another number of values.
    public init(rows: Int, columns: Int, values: [Double]) throws {
        guard rows >= 0, columns >= 0, case (let count, let overflow) = rows.multipliedReportingOverflow(by: columns),
            !overflow, values.count == count
        else { throw EvaluationError.shape("\(values.count) numbers for a matrix of \(rows) × \(columns)") }
        (self.rows, self.columns, self.values) = (rows, columns, values)
    }

    package init(zeros rows: Int, _ columns: Int) {
        (self.rows, self.columns) = (rows, columns)
        values = Array(repeating: 0, count: rows * columns)
    }

    package subscript(row: Int, column: Int) -> Double {
        get { values[row * columns + column] }
        set { values[row * columns + column] = newValue }
    }

    /// The sum of the diagonal.
    public var trace: Double { (0..<min(rows, columns)).reduce(0) { $0 + self[$1, $1] } }

    var transposed: Matrix {
        var result = Matrix(zeros: columns, rows)
        for row in 0..<rows { for column in 0..<columns { result[column, row] = self[row, column] } }
        return result
    }

    /// `self · otherᵀ`, for matrices with equally many columns.
    package func timesTransposed(_ other: Matrix) -> Matrix {
        var result = Matrix(zeros: rows, other.rows)
        LinearAlgebra.shared.addProduct(self, other, to: &result)
        return result
    }
}
