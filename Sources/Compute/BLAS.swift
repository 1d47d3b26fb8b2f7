import COpenBLAS

/// OpenBLAS, one thread per call: we cut the work ourselves, at places that do not depend on the number of threads.
enum BLAS {
    static func useCallersThreadsOnly() { openblas_set_num_threads(1) }

    /// A row-major matrix: `rows × columns` floats, `stride` apart.
    struct Matrix {
        let pointer: UnsafePointer<Float>
        let stride: Int
    }

    /// `c [m, n] = a [m, k] · b [n, k]ᵀ`
    static func multiplyTransposed(
        _ a: Matrix, _ b: Matrix, into c: UnsafeMutablePointer<Float>, stride: Int, m: Int, n: Int, k: Int
    ) {
        cblas_sgemm(
            CblasRowMajor, CblasNoTrans, CblasTrans, blasint(m), blasint(n), blasint(k), 1, a.pointer,
            blasint(a.stride), b.pointer, blasint(b.stride), 0, c, blasint(stride))
    }

    /// `c [m, n] = a [m, k] · b [k, n]`
    static func multiply(
        _ a: Matrix, _ b: Matrix, into c: UnsafeMutablePointer<Float>, stride: Int, m: Int, n: Int, k: Int
    ) {
        cblas_sgemm(
            CblasRowMajor, CblasNoTrans, CblasNoTrans, blasint(m), blasint(n), blasint(k), 1, a.pointer,
            blasint(a.stride), b.pointer, blasint(b.stride), 0, c, blasint(stride))
    }
}
