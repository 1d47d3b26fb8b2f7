import Tensors

/// How calibration wants a weight to be stored.
struct WeightPlan: Sendable, Equatable {
    var format: WeightFormat
    var activation: ActivationMode
    var change = WeightChange()
    /// What the input's channels are divided by as they are read, if `activation` is `.scaled`.
    var inputScales: [Float] = []
    /// What the errors of a row's numbers count when its scale is chosen; nil if all count the same.
    var importance: [Float]?
    /// ‖W − Ŵ‖ / ‖W‖ above which the weight becomes float16 rather than int8; nil for none.
    var limit: Double?
}

/// Factors on a weight's rows and input columns, which cancel with those of the weights before and behind it.
struct WeightChange: Sendable, Equatable {
    /// One for each row: output of a product, or number of a vector. Empty for none.
    private(set) var rows: [Float] = []
    /// One for each input channel; the same at all taps. Empty for none.
    private(set) var columns: [Float] = []

    var isEmpty: Bool { rows.isEmpty && columns.isEmpty }

    /// - Parameters:
    ///   - factors: repeated over the range.
    ///   - count: rows of the weight.
    mutating func multiply(rows range: Range<Int>, of count: Int, by factors: [Float]) {
        if rows.isEmpty { rows = Array(repeating: 1, count: count) }
        for row in range { rows[row] *= factors[(row - range.lowerBound) % factors.count] }
    }

    mutating func multiply(columns factors: [Float]) {
        columns = columns.isEmpty ? factors : zip(columns, factors).map { $0 * $1 }
    }
}

/// Rows of a weight with a change applied.
struct ChangedRows: RowReader {
    let rows: any RowReader
    let change: WeightChange

    var rowCount: Int { rows.rowCount }
    var width: Int { rows.width }

    func read(_ range: Range<Int>, into buffer: UnsafeMutableBufferPointer<Float>) throws {
        try rows.read(range, into: buffer)
        for (index, row) in range.enumerated() {
            let line = UnsafeMutableBufferPointer(rebasing: buffer[index * width..<(index + 1) * width])
            if !change.rows.isEmpty {
                let factor = change.rows[row]
                for place in line.indices { line[place] *= factor }
            }
            guard !change.columns.isEmpty else { continue }
            change.columns.withUnsafeBufferPointer { columns in
                for first in stride(from: 0, to: width, by: columns.count) {
                    for column in columns.indices { line[first + column] *= columns[column] }
                }
            }
        }
    }
}

extension WeightRole {
    /// Rows as a `RowReader` has them.
    var rowCount: Int { shape[0] }
}
