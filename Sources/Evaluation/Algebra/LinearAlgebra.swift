import Tensors

/// Products, eigenvalues and singular values in float64: OpenBLAS' where it is installed, else our own, which are slower and
/// agree with it to rounding.
package struct LinearAlgebra: Sendable {
    typealias Product =
        @convention(c) (
            _ order: Int32, _ transposeA: Int32, _ transposeB: Int32, _ m: Int32, _ n: Int32, _ k: Int32,
            _ alpha: Double, _ a: UnsafePointer<Double>?, _ lda: Int32, _ b: UnsafePointer<Double>?, _ ldb: Int32,
            _ beta: Double, _ c: UnsafeMutablePointer<Double>?, _ ldc: Int32
        ) -> Void
    typealias SymmetricEigen =
        @convention(c) (
            _ job: UnsafePointer<CChar>, _ triangle: UnsafePointer<CChar>, _ n: UnsafePointer<Int32>,
            _ a: UnsafeMutablePointer<Double>?, _ lda: UnsafePointer<Int32>, _ w: UnsafeMutablePointer<Double>?,
            _ work: UnsafeMutablePointer<Double>?, _ lwork: UnsafePointer<Int32>,
            _ iwork: UnsafeMutablePointer<Int32>?, _ liwork: UnsafePointer<Int32>, _ info: UnsafeMutablePointer<Int32>,
            _ jobLength: Int, _ triangleLength: Int
        ) -> Void
    typealias SingularValues =
        @convention(c) (
            _ job: UnsafePointer<CChar>, _ m: UnsafePointer<Int32>, _ n: UnsafePointer<Int32>,
            _ a: UnsafeMutablePointer<Double>?, _ lda: UnsafePointer<Int32>, _ s: UnsafeMutablePointer<Double>?,
            _ u: UnsafeMutablePointer<Double>?, _ ldu: UnsafePointer<Int32>, _ vt: UnsafeMutablePointer<Double>?,
            _ ldvt: UnsafePointer<Int32>, _ work: UnsafeMutablePointer<Double>?, _ lwork: UnsafePointer<Int32>,
            _ iwork: UnsafeMutablePointer<Int32>?, _ info: UnsafeMutablePointer<Int32>, _ jobLength: Int
        ) -> Void

    private struct Library: Sendable {
        let product: Product
        let symmetricEigen: SymmetricEigen
        let singularValues: SingularValues

        init() throws {
            let library = try OpenBLAS.load()
            product = try library.function("cblas_dgemm", as: Product.self)
            symmetricEigen = try library.function("dsyevd_", as: SymmetricEigen.self)
            singularValues = try library.function("dgesdd_", as: SingularValues.self)
        }
    }

    private let library: Library?

    package static let shared = LinearAlgebra(library: try? Library())
    /// Our own, for tests and for where OpenBLAS is not installed.
    package static let own = LinearAlgebra(library: nil)

    package var isOpenBLAS: Bool { library != nil }

    /// `c += a · bᵀ`; `a` is `[m, k]`, `b` `[n, k]`, `c` `[m, n]`.
    package func addProduct(_ a: Matrix, _ b: Matrix, to c: inout Matrix) {
        let (m, n, k) = (a.rows, b.rows, a.columns)
        guard m > 0, n > 0, k > 0 else { return }
        if let library, let (m32, n32, k32) = Self.int32(m, n, k) {
            // The constants of cblas.h.
            let (rowMajor, asIs, transposed): (Int32, Int32, Int32) = (101, 111, 112)
            c.values.withUnsafeMutableBufferPointer { c in
                library.product(
                    rowMajor, asIs, transposed, m32, n32, k32, 1, a.values, k32, b.values, k32, 1, c.baseAddress, n32)
            }
            return
        }
        c.values.withUnsafeMutableBufferPointer { c in
            a.values.withUnsafeBufferPointer { a in
                b.values.withUnsafeBufferPointer { b in
                    for row in 0..<m {
                        for column in 0..<n {
                            var sum = 0.0
                            for index in 0..<k { sum += a[row * k + index] * b[column * k + index] }
                            c[row * n + column] += sum
                        }
                    }
                }
            }
        }
    }

    /// Eigenvalues of a symmetric matrix, rising, and its eigenvectors as rows in the same order.
    /// - Throws: `EvaluationError.noConvergence`.
    package func symmetricEigen(_ matrix: Matrix) throws -> (values: [Double], vectors: Matrix) {
        let n = matrix.rows
        guard n > 0 else { return ([], matrix) }
        guard let library, let size = Int32(exactly: n) else { return try matrix.ownSymmetricEigen() }
        var vectors = matrix
        var values = [Double](repeating: 0, count: n)
        var (info, query): (Int32, Int32) = (0, -1)
        var (workSize, integerSize) = ([0.0], [Int32(0)])
        vectors.values.withUnsafeMutableBufferPointer { a in
            library.symmetricEigen(
                "V", "L", [size], a.baseAddress, [size], &values, &workSize, &query, &integerSize, &query, &info, 1, 1)
        }
        guard info == 0, let count = Int32(exactly: workSize[0]) else { throw EvaluationError.noConvergence }
        var work = [Double](repeating: 0, count: Int(count))
        var integers = [Int32](repeating: 0, count: Int(integerSize[0]))
        vectors.values.withUnsafeMutableBufferPointer { a in
            library.symmetricEigen(
                "V", "L", [size], a.baseAddress, [size], &values, &work, [count], &integers, integerSize, &info, 1, 1)
        }
        guard info == 0 else { throw EvaluationError.noConvergence }
        // Columns of Fortran's matrix are rows of ours.
        return (values, vectors)
    }

    /// Singular values, falling.
    /// - Throws: `EvaluationError.noConvergence`.
    package func singularValues(_ matrix: Matrix) throws -> [Double] {
        let least = min(matrix.rows, matrix.columns)
        guard least > 0 else { return [] }
        // Fortran sees the transposed matrix, whose singular values are the same.
        guard let library, let (m, n, _) = Self.int32(matrix.columns, matrix.rows, 0) else {
            return try matrix.ownSingularValues()
        }
        var copy = matrix.values
        var values = [Double](repeating: 0, count: least)
        var integers = [Int32](repeating: 0, count: 8 * least)
        var (info, query): (Int32, Int32) = (0, -1)
        var workSize = [0.0]
        library.singularValues(
            "N", [m], [n], &copy, [m], &values, nil, [1], nil, [1], &workSize, &query, &integers, &info, 1)
        guard info == 0, let count = Int32(exactly: workSize[0].rounded(.up)) else {
            throw EvaluationError.noConvergence
        }
        var work = [Double](repeating: 0, count: Int(count))
        library.singularValues(
            "N", [m], [n], &copy, [m], &values, nil, [1], nil, [1], &work, [count], &integers, &info, 1)
        guard info == 0 else { throw EvaluationError.noConvergence }
        return values
    }

    private static func int32(_ a: Int, _ b: Int, _ c: Int) -> (Int32, Int32, Int32)? {
        guard let a = Int32(exactly: a), let b = Int32(exactly: b), let c = Int32(exactly: c) else { return nil }
        return (a, b, c)
    }
}
