import CCUDA
import Foundation

/// NVIDIA's libraries, found at run time. AUDIOLDM2_CUDA_DRIVER, AUDIOLDM2_NVRTC and AUDIOLDM2_NVML name others.
struct CUDALibraries: Sendable {
    let driver: cuda_driver
    /// 12040 for CUDA 12.4: the newest that the driver can run.
    let driverVersion: Int

    /// - Throws: `CUDAError` if there is no driver, or it does not start.
    init() throws {
        let driver = try Self.load(["libcuda.so.1"], variable: "AUDIOLDM2_CUDA_DRIVER") { cuda_load_driver($0, &$1) }
        var version: Int32 = 0
        try driver.check("cuInit", driver.`init`(0))
        try driver.check("cuDriverGetVersion", driver.driver_version(&version))
        self.driver = driver
        driverVersion = Int(version)
    }

    /// The newest compiler whose programs the driver can run.
    /// - Throws: `CUDAError.missing`.
    func compiler() throws -> KernelCompiler {
        let names = ["libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so.11.2"]
        let usable = names.filter { name in
            driverVersion / 1000 >= Int(name.dropFirst("libnvrtc.so.".count).prefix(2)) ?? 0
        }
        let functions = try Self.load(
            usable + usable.map { "/usr/local/cuda/lib64/" + $0 }, variable: "AUDIOLDM2_NVRTC"
        ) { cuda_load_compiler($0, &$1) }
        return try KernelCompiler(functions)
    }

    /// What tells memory, utilization and power; nil if it is not there.
    static func monitor() -> cuda_monitor? {
        try? load(["libnvidia-ml.so.1"], variable: "AUDIOLDM2_NVML") { cuda_load_monitor($0, &$1) }
    }

    /// Opens the first library that is there and has everything.
    private static func load<Table>(
        _ names: [String], variable: String, _ open: (String, inout UnsafePointer<CChar>?) -> UnsafePointer<Table>?
    ) throws -> Table {
        let names = ProcessInfo.processInfo.environment[variable].map { [$0] } ?? names
        var failure = CUDAError.missing(library: "libnvrtc", what: "a version that this driver can run")
        for (index, name) in names.enumerated() {
            var missing: UnsafePointer<CChar>?
            if let table = open(name, &missing) { return table.pointee }
            let what = missing.map { String(cString: $0) } ?? name
            if index == 0 { failure = .missing(library: name, what: what == name ? "the library" : what) }
        }
        throw failure
    }
}

extension cuda_driver {
    /// - Throws: `CUDAError.call` unless a call succeeded.
    func check(_ call: @autoclosure () -> String, _ result: cuda_result) throws {
        guard result != CUDA_SUCCESS_RESULT else { return }
        var name: UnsafePointer<CChar>?
        _ = error_name(result, &name)
        throw CUDAError.call(call(), result: name.map { String(cString: $0) } ?? "error \(result)")
    }
}
