import Compute
import ComputeCUDA
import Tensors

/// The backend that a model is computed on, and why it is that one.
struct Computing: Sendable {
    let backend: any StageBackend
    /// Why the CPU was chosen, or not the first GPU, if nobody asked for it.
    private(set) var note: String?
    /// Why a GPU that is there is not used.
    private(set) var warning: String?

    init(on backend: any StageBackend) { self.backend = backend }

    /// - Parameters:
    ///   - device: nil for `ComputeDevice.standard()`.
    ///   - notice: is told what takes long, before it begins.
    /// - Throws: `AudioLDM2Error`; `CUDAError` if a GPU was asked for and cannot be used; `TensorError`.
    init(
        _ device: ComputeDevice?, for model: some OpenedModel, threads: Int?, notice: ((String) -> Void)? = nil
    ) throws {
        switch try device ?? .standard() {
        case .cpu:
            backend = try CPUBackend(for: model, requestedThreads: threads)
        case .cuda(let ordinal):
            backend = try CUDABackend(
                checking: CUDADevice(ordinal, notice: notice), against: Self.reference)
        case .auto:
            let search = GPUSearch(neededBytes: model.largestComponentBytes, notice: notice, reference: Self.reference)
            backend = try search.found ?? CPUBackend(for: model, requestedThreads: threads)
            (note, warning) = (search.note, search.warning)
        }
    }
}

extension Computing {
    /// What a GPU is compared with at its first use.
    private static func reference() throws -> any Backend { try CPUBackend(threadCount: 1, usesBLAS: false) }
}

extension CPUBackend {
    /// A backend that suits a model.
    /// - Throws: `AudioLDM2Error` for a number of threads outside of `AudioLDM2Pipeline.threadsRange`; `TensorError`.
    fileprivate convenience init(for model: some OpenedModel, requestedThreads threads: Int?) throws {
        let range = AudioLDM2Pipeline.threadsRange
        if let threads, !range.contains(threads) {
            throw AudioLDM2Error(
                .invalidOption, "\(threads) threads: choose \(range.lowerBound)…\(range.upperBound)")
        }
        if let name = Self.unknownTier {
            throw AudioLDM2Error(
                .invalidOption,
                "AUDIOLDM2_CPU=\(name): choose scalar, avx2, avxvnni, avx512vnni, dotprod or i8mm, or leave it out")
        }
        try self.init(threadCount: threads, usesBLAS: model.isMostlyFloat)
    }
}

extension OpenedModel {
    /// Weights of the largest component, as a device holds them.
    fileprivate var largestComponentBytes: Int { pack.components.map(\.deviceBytes).max() ?? 0 }

    /// Whether most of the work is float products.
    fileprivate var isMostlyFloat: Bool {
        let heaviest = pack.component(PartName.unet).map { [$0] } ?? pack.components
        let weights = heaviest.flatMap { $0.tensors.map(\.description) }
        let int8 = weights.filter { $0.format == .int8 }.reduce(0) { $0 + $1.role.shape.count }
        return 2 * int8 < weights.reduce(0) { $0 + $1.role.shape.count }
    }
}
