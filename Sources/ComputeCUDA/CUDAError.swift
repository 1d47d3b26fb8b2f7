import Tensors

/// One of NVIDIA's libraries without which there is no GPU to compute on.
package enum CUDALibrary: Sendable { case driver, compiler }

/// Why a GPU cannot be used, or stopped being usable.
package enum CUDAError: Error, CustomStringConvertible, Sendable, Equatable {
    /// A library that is not there, or a function that one lacks.
    case missing(CUDALibrary, path: String, function: String?)
    /// The toolkit's library to link to, in the place of a driver.
    case stubDriver(path: String)
    /// A compiler whose programs the driver cannot run.
    case compilerTooNew(path: String, version: String, driverVersion: Int)
    case noDevices
    case noDevice(ordinal: Int, count: Int)
    case tooOld(device: String, architecture: String)
    /// A device whose memory others have taken.
    case full(device: String, availableBytes: Int, neededBytes: Int)
    /// A call that failed, by the name of its result.
    case call(String, result: String)
    case compilation(log: String)
    /// A compiler that only knows newer devices.
    case architecture(String, version: String)
    /// What the host has to do while work is recorded for it to be launched as a whole.
    case notRecordable(String)
    /// What the device computes is not what the CPU computes.
    case disagreement(operation: String, error: Double)

    package var description: String { [reason, remedy].compactMap(\.self).joined(separator: "; ") }

    /// What is said where another device computes: not how to make one compute that nobody asked for. But a compiler
    /// is all that a GPU lacks.
    package var reasonToPassBy: String {
        switch self {
        case .missing(.compiler, _, _), .compilerTooNew: description
        default: reason
        }
    }

    private var reason: String {
        switch self {
        case .missing(_, let path, let function):
            function.map { "\(path) has no \($0)" } ?? "\(path) was not found"
        case .stubDriver(let path):
            "\(path) is a stub to link to, and no driver"
        case .compilerTooNew(let path, let version, let driver):
            "\(path) is NVRTC \(version), and the driver runs no more than CUDA \(driver / 1000).\(driver % 1000 / 10)"
        case .noDevices:
            "NVIDIA's driver sees no GPU"
        case .noDevice(let ordinal, let count):
            "there is no device cuda:\(ordinal); the driver sees \(count), from cuda:0"
        case .tooOld(let device, let architecture):
            "\(device) is \(architecture), and sm_61 or newer is needed"
        case .full(let device, let available, let needed):
            "\(device) has \(available >> 20) MiB of memory left, and this model needs at least \(needed >> 20) MiB"
        case .call(let name, let result):
            "the GPU failed in \(name): \(result)"
        case .compilation(let log):
            "NVRTC could not compile the kernels for this GPU: \(log)"
        case .architecture(let architecture, let version):
            "NVRTC \(version) could not compile the kernels for this GPU: it no longer knows \(architecture)"
        case .notRecordable(let operation):
            "\(operation) cannot be recorded for the GPU to do it again"
        case .disagreement(let operation, let error):
            "the GPU's \(operation) is not the CPU's (relative error \(error))"
        }
    }

    private var remedy: String? {
        switch self {
        case .missing(.driver, _, _), .stubDriver: "install NVIDIA's driver, or use --device cpu"
        case .missing(.compiler, _, _), .compilerTooNew:
            "install NVRTC (of a CUDA toolkit, or PyPI's nvidia-cuda-nvrtc-cu12) or name its library in AUDIOLDM2_NVRTC"
        case .noDevices: "check nvidia-smi and CUDA_VISIBLE_DEVICES"
        case .call: "use --device cpu, or check nvidia-smi and the system's log"
        case .compilation: "install a newer NVRTC, or name its library in AUDIOLDM2_NVRTC; or use --device cpu"
        case .architecture: "install an older NVRTC, or name its library in AUDIOLDM2_NVRTC; or use --device cpu"
        case .full: "end other programs on it, or use --device cpu"
        case .tooOld, .disagreement: "use --device cpu"
        case .noDevice, .notRecordable: nil
        }
    }
}

extension CUDAError {
    /// Whether this machine simply has no GPU that could be used.
    package var meansNoGPU: Bool {
        switch self {
        case .missing(.driver, _, _), .stubDriver, .noDevices, .tooOld: true
        case .missing(.compiler, _, _), .compilerTooNew, .noDevice, .full, .call, .compilation, .architecture,
            .notRecordable, .disagreement:
            false
        }
    }
}
