import CCUDA
import Foundation

/// Where NVIDIA's libraries are; nil for where the system has them.
package struct CUDALibraryPaths: Sendable {
    package var driver: String?
    package var compiler: String?
    package var monitor: String?

    /// What AUDIOLDM2_CUDA_DRIVER, AUDIOLDM2_NVRTC and AUDIOLDM2_NVML say.
    package init() {
        driver = environmentVariable("AUDIOLDM2_CUDA_DRIVER")
        compiler = environmentVariable("AUDIOLDM2_NVRTC")
        monitor = environmentVariable("AUDIOLDM2_NVML")
    }

    package init(driver: String?, compiler: String?) { (self.driver, self.compiler) = (driver, compiler) }
}

/// One variable of the process; nil if it is not set, or empty. Foundation's copy of all of them may be made while OpenBLAS
/// is loaded, which sets one, and crash.
package func environmentVariable(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
}

/// NVIDIA's libraries, found at run time.
struct CUDALibraries: Sendable {
    private let paths: CUDALibraryPaths
    let driver: cuda_driver
    /// Nil where the driver is too old for them.
    let graphs: cuda_graphs?
    /// 12040 for CUDA 12.4: the newest that the driver can run.
    let driverVersion: Int

    /// - Throws: `CUDAError` if there is no driver, or it does not start.
    init(_ paths: CUDALibraryPaths) throws {
        self.paths = paths
        let names = paths.driver.map { [$0] } ?? ["libcuda.so.1"]
        let driver = try Self.load(names) { cuda_load_driver($0, &$1) }
        graphs = try? Self.load(names) { cuda_load_graphs($0, &$1) }
        var version: Int32 = 0
        let started = driver.`init`(0)
        // A driver without a GPU, or all of them hidden, does not start.
        if started == CUDA_NO_DEVICE_RESULT { throw CUDAError.noDevices }
        try driver.check("cuInit", started)
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
        let known = usable + usable.map { "/usr/local/cuda/lib64/" + $0 }
        return try KernelCompiler(Self.load(paths.compiler.map { [$0] } ?? known) { cuda_load_compiler($0, &$1) })
    }

    /// What tells memory, utilization and power; nil if it is not there.
    func monitor() -> cuda_monitor? {
        try? Self.load(paths.monitor.map { [$0] } ?? ["libnvidia-ml.so.1"]) { cuda_load_monitor($0, &$1) }
    }

    /// Opens the first library that is there and has everything.
    private static func load<Table>(
        _ names: [String], _ open: (String, inout UnsafePointer<CChar>?) -> UnsafePointer<Table>?
    ) throws -> Table {
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
