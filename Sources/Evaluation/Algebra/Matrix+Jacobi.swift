/// Jacobi's rotations: slow beside LAPACK, as exact, and short. Hestenes 1958 for singular values, of which the eigenvalues
/// of a covariance are a case.
extension Matrix {
    private static let sweeps = 60

    /// One-sided: rows are turned until they are orthogonal; their lengths are the singular values then.
    /// - Parameter left: is turned as the rows are, if it is given.
    private mutating func orthogonalizeRows(turning left: inout Matrix?) throws {
        let (count, width) = (rows, columns)
        let tolerance = 4 * Double.ulpOfOne * Double(max(width, 1)).squareRoot()
        for _ in 0..<Self.sweeps {
            var turned = false
            for p in 0..<count {
                for q in p + 1..<max(count, p + 1) {
                    let (alpha, beta, gamma) = values.withUnsafeBufferPointer { values in
                        var (alpha, beta, gamma) = (0.0, 0.0, 0.0)
                        for index in 0..<width {
                            let (x, y) = (values[p * width + index], values[q * width + index])
                            (alpha, beta, gamma) = (alpha + x * x, beta + y * y, gamma + x * y)
                        }
                        return (alpha, beta, gamma)
                    }
                    guard abs(gamma) > tolerance * (alpha * beta).squareRoot(), gamma != 0 else { continue }
                    turned = true
                    let zeta = (beta - alpha) / (2 * gamma)
                    let tangent = (zeta < 0 ? -1 : 1) / (abs(zeta) + (1 + zeta * zeta).squareRoot())
                    let cosine = 1 / (1 + tangent * tangent).squareRoot()
                    turn(p, q, cosine: cosine, sine: cosine * tangent)
                    left?.turn(p, q, cosine: cosine, sine: cosine * tangent)
                }
            }
            if !turned { return }
        }
        throw EvaluationError.noConvergence
    }

    private mutating func turn(_ p: Int, _ q: Int, cosine: Double, sine: Double) {
        let width = columns
        values.withUnsafeMutableBufferPointer { values in
            for index in 0..<width {
                let (x, y) = (values[p * width + index], values[q * width + index])
                values[p * width + index] = cosine * x - sine * y
                values[q * width + index] = sine * x + cosine * y
            }
        }
    }

    private func squaredLength(ofRow row: Int) -> Double {
        (0..<columns).reduce(0) { $0 + self[row, $1] * self[row, $1] }
    }

    /// Singular values, falling.
    func ownSingularValues() throws -> [Double] {
        var matrix = rows <= columns ? self : transposed
        var none: Matrix?
        try matrix.orthogonalizeRows(turning: &none)
        return (0..<matrix.rows).map { matrix.squaredLength(ofRow: $0).squareRoot() }.sorted(by: >)
    }

    /// Of a symmetric matrix without negative eigenvalues: rising, and eigenvectors as rows.
    func ownSymmetricEigen() throws -> (values: [Double], vectors: Matrix) {
        var turned = self
        var vectors: Matrix? = Matrix(zeros: rows, rows)
        for index in 0..<rows { vectors?[index, index] = 1 }
        try turned.orthogonalizeRows(turning: &vectors)
        guard let vectors else { throw EvaluationError.noConvergence }
        let lengths = (0..<rows).map { turned.squaredLength(ofRow: $0).squareRoot() }
        let order = lengths.indices.sorted { lengths[$0] < lengths[$1] }
        var sorted = Matrix(zeros: rows, rows)
        for (place, row) in order.enumerated() {
            for column in 0..<rows { sorted[place, column] = vectors[row, column] }
        }
        return (order.map { lengths[$0] }, sorted)
    }
}
