import CCUDA

/// The kernels in the current context of a device.
struct LoadedKernels {
    let module: cuda_handle?
    let functions: [Kernel: cuda_handle]
    let build: KernelBuild

    /// The kernels, from the cache or built now. What the driver refuses is built again, and what one compiler does not
    /// build (newer ones do not know old devices any more) by the next one.
    /// - Parameter willCompile: is called before what takes seconds.
    /// - Throws: `CUDAError`, of the first compiler that failed.
    init(
        _ capability: Capability, _ libraries: CUDALibraries, _ cache: KernelCache, willCompile: () -> Void
    ) throws {
        let compilers = Result { try libraries.compilers() }
        func build(by compiler: KernelCompiler) throws -> KernelBuild {
            KernelBuild(compilerVersion: compiler.version, target: try compiler.target(for: capability))
        }
        func key(_ build: KernelBuild?) -> KernelCache.Key {
            KernelCache.Key(
                sourceHash: KernelSource.hash, architecture: capability.architecture,
                driverVersion: libraries.driverVersion, build: build)
        }
        let builds: [KernelBuild?] = (try? compilers.get())?.compactMap { try? build(by: $0) } ?? [nil]
        for known in builds {
            if let (binary, build) = cache.read(key(known)), let loaded = try? Self(binary, build, libraries.driver) {
                self = loaded
                return
            }
        }
        var failure: CUDAError?
        let usable = try compilers.get()
        willCompile()
        for compiler in usable {
            do {
                let build = try build(by: compiler)
                let binary = try compiler.compile(KernelSource.text, for: build.target)
                self = try Self(binary, build, libraries.driver)
                cache.write(binary, for: key(build))
                return
            } catch let error as CUDAError {
                failure = failure ?? error
            }
        }
        throw failure ?? CUDAError.missing(.compiler, path: "NVRTC", function: nil)
    }

    private init(_ binary: [UInt8], _ build: KernelBuild, _ driver: cuda_driver) throws {
        var module: cuda_handle? = nil
        try driver.check("cuModuleLoadData", driver.module_load(&module, binary))
        var functions: [Kernel: cuda_handle] = [:]
        do {
            for kernel in Kernel.all(for: build.target.capability) {
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
        (self.module, self.functions, self.build) = (module, functions, build)
    }
}
