import CCUDA
import Glibc

/// Where NVIDIA's libraries are; nil for where the system has them.
package struct CUDALibraryPaths: Sendable {
    package var driver: String?
    /// The first one that serves is used.
    package var compilers: [String]?
    package var monitor: String?

    /// What AUDIOLDM2_CUDA_DRIVER, AUDIOLDM2_NVRTC and AUDIOLDM2_NVML say.
    package init() {
        driver = environmentVariable("AUDIOLDM2_CUDA_DRIVER")
        compilers = environmentVariable("AUDIOLDM2_NVRTC").map { [$0] }
        monitor = environmentVariable("AUDIOLDM2_NVML")
    }

    package init(driver: String?, compiler: String?, monitor: String? = nil) {
        (self.driver, compilers, self.monitor) = (driver, compiler.map { [$0] }, monitor)
    }
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
        let driver = try Self.load(.driver, names) { cuda_load_driver($0, &$1) }
        graphs = try? Self.load(.driver, names) { cuda_load_graphs($0, &$1) }
        var version: Int32 = 0
        let started = driver.`init`(0)
        // A driver without a GPU, or all of them hidden, does not start.
        if started == CUDA_NO_DEVICE_RESULT { throw CUDAError.noDevices }
        if started == CUDA_STUB_LIBRARY_RESULT { throw CUDAError.stubDriver(path: names.first ?? "") }
        try driver.check("cuInit", started)
        try driver.check("cuDriverGetVersion", driver.driver_version(&version))
        self.driver = driver
        driverVersion = Int(version)
    }

    /// The compilers whose programs the driver can run, the newest first; no others than are named, if any are.
    /// - Throws: `CUDAError.missing`, `CUDAError.compilerTooNew`: there is none.
    func compilers() throws -> [KernelCompiler] {
        let names = ["libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so.11.2"]
        let usable = names.filter { name in
            driverVersion / 1000 >= Int(name.dropFirst("libnvrtc.so.".count).prefix(2)) ?? 0
        }
        var failure = CUDAError.missing(.compiler, path: "an NVRTC that this driver can run", function: nil)
        var found: [KernelCompiler] = []
        for (index, path) in (paths.compilers ?? usable + usable.map { "/usr/local/cuda/lib64/" + $0 }).enumerated() {
            do {
                let compiler = try KernelCompiler(path: path)
                guard compiler.major <= driverVersion / 1000 else {
                    throw CUDAError.compilerTooNew(
                        path: path, version: compiler.version, driverVersion: driverVersion)
                }
                if !found.contains(where: { $0.version == compiler.version }) { found.append(compiler) }
            } catch let error as CUDAError {
                if index == 0 { failure = error }
            }
        }
        guard !found.isEmpty else { throw failure }
        return found
    }

    /// What tells memory, utilization and power; nil if it is not there.
    func monitor() -> cuda_monitor? {
        try? Self.load(.driver, paths.monitor.map { [$0] } ?? ["libnvidia-ml.so.1"]) { cuda_load_monitor($0, &$1) }
    }

    /// Opens the first library that is there and has everything.
    private static func load<Table>(
        _ library: CUDALibrary, _ names: [String],
        _ open: (String, inout UnsafePointer<CChar>?) -> UnsafePointer<Table>?
    ) throws -> Table {
        var function: String?
        for (index, name) in names.enumerated() {
            var missing: UnsafePointer<CChar>?
            if let table = open(name, &missing) { return table.pointee }
            if index == 0 { function = missing.map { String(cString: $0) } }
        }
        throw CUDAError.missing(library, path: names.first ?? "", function: function)
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
