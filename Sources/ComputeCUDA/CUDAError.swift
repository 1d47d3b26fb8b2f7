import Tensors

/// Why a GPU cannot be used, or stopped being usable.
package enum CUDAError: Error, CustomStringConvertible, Sendable, Equatable {
    /// A library, or a function in one, that is not there.
    case missing(library: String, what: String)
    case noDevices
    case noDevice(ordinal: Int, count: Int)
    case tooOld(device: String, architecture: String)
    /// A call that failed, by the name of its result.
    case call(String, result: String)
    case compilation(log: String)
    /// What the host has to do while work is recorded for it to be launched as a whole.
    case notRecordable(String)
    /// What the device computes is not what the CPU computes.
    case disagreement(operation: String, error: Double)

    package var description: String {
        switch self {
        case .missing(let library, let what):
            "\(library): \(what) was not found; " + Self.remedy(for: library)
        case .noDevices:
            "NVIDIA's driver sees no GPU; check nvidia-smi and CUDA_VISIBLE_DEVICES"
        case .noDevice(let ordinal, let count):
            "there is no device cuda:\(ordinal); the driver sees \(count), from cuda:0"
        case .tooOld(let device, let architecture):
            "\(device) is \(architecture), and sm_61 or newer is needed; use --device cpu"
        case .call(let name, let result):
            "the GPU failed in \(name): \(result); use --device cpu, or check nvidia-smi and the system's log"
        case .compilation(let log):
            "NVRTC could not compile the kernels for this GPU; use --device cpu: \(log)"
        case .notRecordable(let operation):
            "\(operation) cannot be recorded for the GPU to do it again"
        case .disagreement(let operation, let error):
            "the GPU's \(operation) is not the CPU's (relative error \(error)); use --device cpu"
        }
    }

    private static func remedy(for library: String) -> String {
        library.contains("nvrtc")
            ? "install NVRTC (CUDA toolkit, or the library of PyPI's nvidia-cuda-nvrtc) or name it in AUDIOLDM2_NVRTC"
            : "install NVIDIA's driver, or use --device cpu"
    }
}

extension CUDAError {
    /// Whether this machine simply has no GPU that could be used.
    package var meansNoGPU: Bool {
        switch self {
        case .missing, .noDevices, .tooOld: true
        case .noDevice, .call, .compilation, .notRecordable, .disagreement: false
        }
    }
}
