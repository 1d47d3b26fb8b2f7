import CKernels
import ComputeSupport
import Platform
import Tensors

/// Computes on the host's cores.
package final class CPUBackend: StageBackend {
    let pool: BufferPool
    let threads: ThreadPool
    let meter: OperationMeter
    let blas: BLAS
    /// A constant table of C functions, which Swift cannot know to be safe to share.
    nonisolated(unsafe) let kernels: Kernels
    /// True if this backend only counts memory.
    package let isCounting: Bool
    /// Sees what products read.
    let observer: (any OperationObserver)?

    /// - Parameters:
    ///   - threadCount: threads to compute with; nil for one per core.
    ///   - usesBLAS: whether float products are OpenBLAS's, which is faster and keeps 128 MiB per thread.
    ///   - tier: a name of `tiers`, whose kernels are used; nil for the best that there are.
    /// - Throws: `TensorError` if OpenBLAS is wanted and not installed, or its memory cannot be had.
    package init(threadCount: Int? = nil, usesBLAS: Bool = true, tier: String? = nil) throws {
        pool = BufferPool(HostMemory())
        isCounting = false
        observer = nil
        meter = OperationMeter()
        threads = ThreadPool(threadCount: threadCount ?? SystemProcessors.available)
        kernels = Self.table(tier) ?? kernels_current().pointee
        blas = usesBLAS ? try BLAS(loading: kernels) : BLAS(kernels)
        if usesBLAS { try blas.reserve(threads) }
    }

    private static let allTiers = [
        KERNELS_SCALAR, KERNELS_AVX2, KERNELS_AVX_VNNI, KERNELS_AVX512_VNNI, KERNELS_NEON_DOTPROD, KERNELS_NEON_I8MM,
    ]

    /// The instruction sets that this CPU has kernels for, the plainest first.
    package static var tiers: [String] {
        allTiers.compactMap { kernels_for_tier($0).map { String(cString: $0.pointee.name) } }
    }

    private static func table(_ tier: String?) -> Kernels? {
        allTiers.lazy.compactMap { kernels_for_tier($0)?.pointee }.first { String(cString: $0.name) == tier }
    }

    /// What the variable AUDIOLDM2_CPU names, if that is no kernels' name.
    package static var unknownTier: String? {
        guard let name = kernels_requested_name(), name.pointee != 0, !kernels_is_tier_name(name) else { return nil }
        return String(cString: name)
    }

    private init(
        _ other: CPUBackend, memory: any MemorySource, threads: ThreadPool, meter: OperationMeter, isCounting: Bool,
        observer: (any OperationObserver)?
    ) {
        pool = BufferPool(memory)
        (self.threads, self.meter, self.isCounting) = (threads, meter, isCounting)
        (kernels, blas) = (other.kernels, other.blas)
        self.observer = observer
    }

    /// The same threads with memory of their own.
    package func withOwnMemory() -> any StageBackend {
        CPUBackend(
            self, memory: HostMemory(), threads: threads, meter: meter, isCounting: false, observer: observer)
    }

    /// The same threads with memory of their own, watched by an observer.
    package func observed(by observer: any OperationObserver) -> CPUBackend {
        CPUBackend(
            self, memory: HostMemory(), threads: threads, meter: meter, isCounting: false, observer: observer)
    }

    package func counting() throws -> any StageBackend {
        CPUBackend(
            self, memory: try CountedMemory(), threads: ThreadPool(threadCount: threadCount, isIdle: true),
            meter: OperationMeter(), isCounting: true, observer: nil)
    }

    package var threadCount: Int { threads.threadCount }

    package var holdsWeights: Bool { false }
    package var availableBytes: Int? { nil }

    /// What OpenBLAS keeps, in bytes.
    package var reservedBytes: Int { blas.byteCount(threads: threadCount) }

    /// The instruction set in use: "avx512vnni" and the like.
    package var name: String { String(cString: kernels.name) }

    /// Of the best instruction in use on registers, on all threads.
    package var peakProductsPerSecond: Double? {
        let rate = (0..<5).map { _ in kernels_peak_products_per_second(kernels.tier) }.max() ?? 0
        return rate > 0 ? rate * Double(threadCount) : nil
    }

    package var peakActivationBytes: Int { pool.peakBytes }

    package func resetPeak(keeping limit: Int) { pool.resetPeak(keeping: limit) }

    package func trim() { pool.trim() }

    package func synchronize() {}
    package var reading: DeviceReading? { nil }

    package func startMetering() { meter.enable() }

    package var operationTotals: [String: OperationTotal] { meter.totals }

    // MARK: Memory

    package func prepare(_ data: any WeightData) throws -> any Weight { CPUWeight(data) }

    package func empty(_ shape: Shape) throws -> Tensor {
        Tensor(shape: shape, storage: try HostStorage(shape.count * MemoryLayout<Float>.size, on: self))
    }

    package func upload(_ values: [Float], _ shape: Shape) throws -> Tensor {
        guard values.count == shape.count else {
            throw TensorError.shapeMismatch(operation: "upload", expected: "\(values.count) elements", found: shape)
        }
        let tensor = try empty(shape)
        let target = try floats(tensor, "upload")
        if isCounting { return tensor }
        values.withUnsafeBufferPointer { source in
            guard let base = source.baseAddress else { return }
            target.update(from: base, count: source.count)
        }
        return tensor
    }

    package func download(_ tensor: Tensor) throws -> [Float] {
        if isCounting { return Array(repeating: 0, count: tensor.shape.count) }
        return Array(UnsafeBufferPointer(start: try floats(tensor, "download"), count: tensor.shape.count))
    }

    package func tensor(_ vector: any Weight) throws -> Tensor {
        try upload(try host(vector, "tensor").vector(), [vector.description.role.shape.count])
    }

    // MARK: Checks

    /// The elements of a tensor of this kind of backend, computed now if they have not been.
    func floats(_ tensor: Tensor, _ operation: String) throws -> UnsafeMutablePointer<Float> {
        switch tensor.storage {
        case let storage as HostStorage: storage.floats + tensor.offset
        case let storage as DeferredStorage: try storage.floats() + tensor.offset
        case let storage as QuantizedStorage: try storage.floats() + tensor.offset
        default: throw TensorError.foreignStorage(operation: operation)
        }
    }

    func host(_ weight: any Weight, _ operation: String) throws -> CPUWeight {
        guard let weight = weight as? CPUWeight else { throw TensorError.foreignStorage(operation: operation) }
        return weight
    }

    /// Cuts `count` rows into blocks of `size`, the last one shorter, and runs them on all threads.
    func forBlocks(of count: Int, size: Int, _ body: (_ block: Range<Int>, _ worker: Int) -> Void) {
        threads.run((count + size - 1) / size) { task, worker in
            body(task * size..<min(count, (task + 1) * size), worker)
        }
    }

    /// Rows per task for work that touches each element a few times: tasks of about 16 K elements.
    func rowsPerTask(_ channels: Int) -> Int { max(1, 16384 / max(channels, 1)) }
}

/// The C table of kernels.
typealias Kernels = kernels

extension Activation {
    /// The C name of this function and its parameter.
    var kernel: (kind: kernels_activation, slope: Float) {
        switch self {
        case .none: (KERNELS_NONE, 0)
        case .silu: (KERNELS_SILU, 0)
        case .gelu: (KERNELS_GELU, 0)
        case .geluTanh: (KERNELS_GELU_TANH, 0)
        case .relu: (KERNELS_RELU, 0)
        case .leakyRelu(let slope): (KERNELS_LEAKY_RELU, slope)
        case .tanh: (KERNELS_TANH, 0)
        }
    }
}
