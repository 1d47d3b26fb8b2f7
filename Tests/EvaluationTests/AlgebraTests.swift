import Evaluation
import Testing

/// OpenBLAS' functions and our own agree, on matrices whose answers are known.
@Suite struct AlgebraTests {
    private func random(_ rows: Int, _ columns: Int, seed: UInt32) -> Matrix {
        var random = NumPyRandom(seed: seed)
        var matrix = Matrix(zeros: rows, columns)
        for row in 0..<rows { for column in 0..<columns { matrix[row, column] = 2 * random.uniform() - 1 } }
        return matrix
    }

    @Test(arguments: [(1, 1), (7, 3), (3, 7), (40, 25)]) func waysAgree(_ rows: Int, _ columns: Int) throws {
        let (a, b) = (random(rows, columns, seed: 1), random(5, columns, seed: 2))
        var products = [Matrix(zeros: rows, 5), Matrix(zeros: rows, 5)]
        LinearAlgebra.shared.addProduct(a, b, to: &products[0])
        LinearAlgebra.own.addProduct(a, b, to: &products[1])
        for (x, y) in zip(products[0].values, products[1].values) { #expect(abs(x - y) < 1e-13) }
        let values = (try LinearAlgebra.shared.singularValues(a), try LinearAlgebra.own.singularValues(a))
        #expect(values.0.count == min(rows, columns) && values.1.count == values.0.count)
        for (x, y) in zip(values.0, values.1) { #expect(abs(x - y) < 1e-12) }
        // Σσ² is the sum of squares.
        let squares = a.values.reduce(0) { $0 + $1 * $1 }
        #expect(abs(values.1.reduce(0) { $0 + $1 * $1 } - squares) < 1e-11)
    }

    /// One below full rank too.
    @Test(arguments: [4, 30]) func eigenvectorsMakeTheMatrixAgain(_ rank: Int) throws {
        let rows = random(20, rank, seed: 3)
        let matrix = rows.timesTransposed(rows)
        for algebra in [LinearAlgebra.shared, .own] {
            let (values, vectors) = try algebra.symmetricEigen(matrix)
            #expect(values == values.sorted())
            for row in 0..<20 {
                for column in 0..<20 {
                    let sum = (0..<20).reduce(0.0) { $0 + values[$1] * vectors[$1, row] * vectors[$1, column] }
                    #expect(abs(sum - matrix[row, column]) < 1e-11)
                }
            }
        }
    }

    @Test func openBLASIsFoundWhereTheTestsRun() { #expect(LinearAlgebra.shared.isOpenBLAS) }
}
