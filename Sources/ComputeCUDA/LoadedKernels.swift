import CCUDA

/// The kernels in the current context of a device.
struct LoadedKernels {
    let module: cuda_handle?
    let functions: [Kernel: cuda_handle]
    /// Of what compiled them.
    let compilerVersion: String

    /// The kernels, from the cache or built now. What the driver refuses is built again, and what one compiler does not
    /// build (newer ones do not know old devices any more) by the next one.
    /// - Parameter willCompile: is called before what takes seconds.
    /// - Throws: `CUDAError`, of the first compiler that failed.
    init(
        _ capability: Capability, _ libraries: CUDALibraries, _ cache: KernelCache, willCompile: () -> Void
    ) throws {
        let compilers = Result { try libraries.compilers() }
        func key(_ compilerVersion: String?) -> KernelCache.Key {
            KernelCache.Key(
                sourceHash: KernelSource.hash, architecture: capability.architecture,
                driverVersion: libraries.driverVersion, compilerVersion: compilerVersion)
        }
        for version in (try? compilers.get().map(\.version)) ?? [nil] {
            if let (binary, version) = cache.read(key(version)),
                let loaded = try? Self(binary, by: version, capability, libraries.driver)
            {
                self = loaded
                return
            }
        }
        var failure: CUDAError?
        let usable = try compilers.get()
        willCompile()
        for compiler in usable {
            do {
                let binary = try compiler.compile(KernelSource.text, for: capability.architecture)
                self = try Self(binary, by: compiler.version, capability, libraries.driver)
                cache.write(binary, for: key(compiler.version))
                return
            } catch let error as CUDAError {
                failure = failure ?? error
            }
        }
        throw failure ?? CUDAError.missing(.compiler, path: "NVRTC", function: nil)
    }

    private init(
        _ binary: [UInt8], by compilerVersion: String, _ capability: Capability, _ driver: cuda_driver
    ) throws {
        var module: cuda_handle? = nil
        try driver.check("cuModuleLoadData", driver.module_load(&module, binary))
        var functions: [Kernel: cuda_handle] = [:]
        do {
            for kernel in Kernel.all(for: capability) {
                var function: cuda_handle? = nil
                try driver.check(
                    "cuModuleGetFunction(\(kernel.rawValue))",
                    driver.module_function(&function, module, kernel.rawValue))
                functions[kernel] = function
            }
        } catch {
            _ = driver.module_unload(module)
            throw error
        }
        (self.module, self.functions, self.compilerVersion) = (module, functions, compilerVersion)
    }
}
