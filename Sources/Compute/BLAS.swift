import CKernels
import Glibc
import Synchronization
import Tensors

/// Float products: by our kernels, or by OpenBLAS, which is about twice as fast and keeps 128 MiB per thread.
///
/// OpenBLAS works with one thread per call: we cut the work ourselves, at places that do not depend on the number of threads.
struct BLAS: Sendable {
    /// A row-major matrix: `rows × columns` floats, `stride` apart.
    struct Matrix {
        let pointer: UnsafePointer<Float>
        let stride: Int
    }

    private typealias SGEMM =
        @convention(c) (
            _ order: Int32, _ transposeA: Int32, _ transposeB: Int32, _ m: Int32, _ n: Int32, _ k: Int32,
            _ alpha: Float,
            _ a: UnsafePointer<Float>, _ lda: Int32, _ b: UnsafePointer<Float>, _ ldb: Int32, _ beta: Float,
            _ c: UnsafeMutablePointer<Float>, _ ldc: Int32
        ) -> Void

    /// nil for our kernels.
    private let sgemm: SGEMM?
    /// A constant table of C functions, which Swift cannot know to be safe to share.
    private nonisolated(unsafe) let kernels: Kernels

    /// What OpenBLAS maps for each call that runs at the same time, and never gives back.
    private static let bufferBytes = 1 << 27

    /// Our kernels.
    init(_ kernels: Kernels) {
        sgemm = nil
        self.kernels = kernels
    }

    /// OpenBLAS.
    /// - Throws: `TensorError.missingLibrary`.
    init(loading kernels: Kernels) throws {
        self.kernels = kernels
        sgemm = try OpenBLAS.load().function("cblas_sgemm", as: SGEMM.self)
    }

    /// Whether a row's results depend, in their last bits, on how many there are.
    var mixesRows: Bool { sgemm != nil }

    /// What the library keeps.
    func byteCount(threads: Int) -> Int { sgemm == nil ? 0 : threads * Self.bufferBytes }

    /// Lets OpenBLAS take its memory for as many calls at a time as there are threads: it waits forever for memory that
    /// it cannot have, so that must not happen in the middle of the work.
    /// - Throws: `TensorError.outOfMemory`.
    func reserve(_ threads: ThreadPool) throws {
        let byteCount = byteCount(threads: threads.threadCount)
        let probe = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        guard probe != MAP_FAILED else { throw TensorError.outOfMemory(bytes: byteCount) }
        munmap(probe, byteCount)
        let arrived = Atomic<Int>(0)
        threads.run(threads.threadCount) { _, _ in
            // Together, so that every call needs a buffer of its own.
            arrived.add(1, ordering: .relaxed)
            for _ in 0..<100_000 where arrived.load(ordering: .relaxed) < threads.threadCount { sched_yield() }
            let size = 128
            let ones = [Float](repeating: 1, count: size * size)
            var product = ones
            ones.withUnsafeBufferPointer { ones in
                guard let ones = ones.baseAddress else { return }
                let matrix = Matrix(pointer: ones, stride: size)
                multiplyTransposed(matrix, matrix, into: &product, stride: size, m: size, n: size, k: size)
            }
        }
    }

    /// `c [m, n] = a [m, k] · b [n, k]ᵀ`
    func multiplyTransposed(
        _ a: Matrix, _ b: Matrix, into c: UnsafeMutablePointer<Float>, stride: Int, m: Int, n: Int, k: Int
    ) {
        guard let sgemm else {
            var product = kernels_float_product(
                rows: m, outputs: n, inputs: k, a: a.pointer, a_stride: a.stride, b: b.pointer, b_stride: b.stride,
                y: c, y_stride: stride)
            return kernels.product_f32(&product)
        }
        // The constants of cblas.h.
        let (rowMajor, asIs, transposed): (Int32, Int32, Int32) = (101, 111, 112)
        sgemm(
            rowMajor, asIs, transposed, Int32(m), Int32(n), Int32(k), 1, a.pointer, Int32(a.stride),
            b.pointer, Int32(b.stride), 0, c, Int32(stride))
    }
}
