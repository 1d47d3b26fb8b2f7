import CCUDA
import ComputeSupport
import FoundationEssentials
import Glibc
import Tensors

/// A GPU with its context and one stream, on which all work follows in order.
package final class CUDADevice: @unchecked Sendable {
    // Unchecked: handles of the driver, which may be used from any thread.
    let driver: cuda_driver
    /// Nil where the driver has none.
    let graphs: cuda_graphs?
    let ordinal: Int
    /// "NVIDIA H100 80GB HBM3"
    let product: String
    let capability: Capability
    /// What the kernels were compiled for.
    package var target: KernelTarget { kernels.build.target }
    let driverVersion: Int
    /// On the PCI bus: how other libraries know the device.
    let busID: String
    /// What work is cut into enough blocks for.
    let processors: Int
    private let device: cuda_device
    private let context: cuda_handle?
    let stream: cuda_handle?
    private let kernels: LoadedKernels
    private let cache: KernelCache
    private let monitor: DeviceMonitor?

    /// "cuda:0 (NVIDIA H100 80GB HBM3, sm_90)"
    package var description: String { "cuda:\(ordinal) (\(product), \(capability.architecture))" }

    /// - Parameters:
    ///   - cacheFolder: for compiled kernels; nil for the user's.
    ///   - notice: is told what takes long, before it begins.
    /// - Throws: `CUDAError`.
    package init(
        _ ordinal: Int = 0, libraries: CUDALibraryPaths = .init(), cacheFolder: URL? = nil,
        notice: ((String) -> Void)? = nil
    ) throws {
        let libraries = try CUDALibraries(libraries)
        let cache = KernelCache(folder: cacheFolder)
        let driver = libraries.driver
        (self.ordinal, self.cache) = (ordinal, cache)
        (self.driver, graphs, driverVersion) = (driver, libraries.graphs, libraries.driverVersion)
        let found = try FoundDevice(ordinal, driver)
        (device, product, busID) = (found.device, found.product, found.busID)
        (capability, processors) = (found.capability, found.processors)
        guard capability.isEnough else {
            throw CUDAError.tooOld(device: product, architecture: capability.architecture)
        }
        var opened = OpenedContext(device: device, driver: driver)
        do {
            try opened.open()
            kernels = try LoadedKernels(capability, libraries, cache) {
                notice?("compiling kernels for \(found.product), and checking them: once")
            }
        } catch {
            opened.close()
            throw error
        }
        (context, stream) = (opened.context, opened.stream)
        monitor = libraries.monitor().flatMap { DeviceMonitor($0, busID: found.busID) }
    }

    /// How many devices the driver sees.
    /// - Throws: `CUDAError`; `noDevices` for none.
    package static func count(_ libraries: CUDALibraryPaths = .init()) throws -> Int {
        try FoundDevice.count(CUDALibraries(libraries).driver)
    }

    deinit {
        _ = driver.context_set(context)
        _ = driver.module_unload(kernels.module)
        _ = driver.stream_destroy(stream)
        _ = driver.context_release(device)
    }

    // MARK: Notes

    /// How these kernels were found to compute on such a device; nil if that is not known, or could not be kept.
    package var checkOutcome: CheckOutcome? { cache.note(checkName).flatMap(CheckOutcome.init(rawValue:)) }

    package func note(_ outcome: CheckOutcome) { cache.write(note: outcome.rawValue, checkName) }

    private var checkName: String {
        let name = product.filter { $0.isLetter || $0.isNumber }
        let source = String(KernelSource.hash, radix: 16)
        return "checked-\(source)-\(name)-\(capability.architecture)-driver\(driverVersion)"
            + "-nvrtc\(kernels.build.name)"
    }

    // MARK: Work

    /// Calls of the driver belong to the context that its thread has.
    func call(_ name: @autoclosure () -> String, _ body: () -> cuda_result) throws {
        try driver.check("cuCtxSetCurrent", driver.context_set(context))
        try driver.check(name(), body())
    }

    /// - Parameter recorder: gets the launch in the place of the device.
    func launch<Arguments>(
        _ kernel: Kernel, _ arguments: Arguments, grid: (x: Int, y: Int, z: Int), on recorder: GraphRecorder? = nil
    ) throws {
        guard let function = kernels.functions[kernel] else {
            throw CUDAError.call("cuLaunchKernel(\(kernel.rawValue))", result: "\(product) does not have it")
        }
        var arguments = arguments
        try withUnsafeMutablePointer(to: &arguments) { arguments in
            var parameters: UnsafeMutableRawPointer? = UnsafeMutableRawPointer(arguments)
            try call("cuLaunchKernel(\(kernel.rawValue))") {
                driver.launch(
                    function, UInt32(clamping: grid.x), UInt32(clamping: grid.y), UInt32(clamping: grid.z),
                    UInt32(CUDA_BLOCK), 1, 1, 0, recorder?.stream ?? stream, &parameters, nil)
            }
        }
    }

    /// Copies to the device, after all work that was given before, and waits for it: the driver need not have read what
    /// is not page-locked when it returns.
    func copyIn(_ bytes: UnsafeRawBufferPointer, to address: UInt64) throws {
        guard let base = bytes.baseAddress, bytes.count > 0 else { return }
        try call("cuMemcpyHtoDAsync") { driver.copy_in(address, base, bytes.count, stream) }
        try synchronize()
    }

    /// Copies from the device, and waits for it.
    func copyOut(_ address: UInt64, into bytes: UnsafeMutableRawBufferPointer) throws {
        guard let base = bytes.baseAddress, bytes.count > 0 else { return }
        try call("cuMemcpyDtoHAsync") { driver.copy_out(base, address, bytes.count, stream) }
        try synchronize()
    }

    func synchronize() throws { try call("cuStreamSynchronize") { driver.stream_synchronize(stream) } }

    /// What the device's own sensors say now; nil where NVML is not installed.
    package var reading: DeviceReading? { monitor?.reading() }

    /// Memory of the device that is left to others, in bytes: what the driver takes for programs, their stacks and graphs, and
    /// what other programs take meanwhile.
    package static let reserve = 256 << 20

    /// In bytes.
    package func memory() throws -> (available: Int, total: Int) {
        var (available, total) = (0, 0)
        try call("cuMemGetInfo") { driver.memory_info(&available, &total) }
        return (available, total)
    }
}

/// The device's memory, for a pool.
struct DeviceMemory: MemorySource {
    let device: CUDADevice

    func allocate(_ byteCount: Int) throws -> UnsafeMutableRawPointer? {
        var address: cuda_address = 0
        var isFull = false
        try device.call("cuMemAlloc") {
            let result = device.driver.allocate(&address, byteCount)
            isFull = result == CUDA_OUT_OF_MEMORY_RESULT
            return isFull ? cuda_result(CUDA_SUCCESS_RESULT) : result
        }
        return isFull ? nil : UnsafeMutableRawPointer(bitPattern: UInt(address))
    }

    func release(_ pointer: UnsafeMutableRawPointer, _ byteCount: Int) {
        try? device.call("cuMemFree") { device.driver.release(UInt64(UInt(bitPattern: pointer))) }
    }

    func rounded(_ byteCount: Int) -> Int { Self.rounded(byteCount) }

    /// Pages of the driver, which large allocations take whole ones of; small ones share them.
    private static let page = 2 << 20

    static func rounded(_ byteCount: Int) -> Int {
        guard byteCount > page / 2 else { return max(byteCount + 511, 512) / 512 * 512 }
        return (byteCount + page - 1) / page * page
    }
}

/// What the driver says of one of its devices.
private struct FoundDevice {
    let device: cuda_device
    let product: String
    let busID: String
    let capability: Capability
    let processors: Int

    static func count(_ driver: cuda_driver) throws -> Int {
        var count: Int32 = 0
        try driver.check("cuDeviceGetCount", driver.device_count(&count))
        guard count > 0 else { throw CUDAError.noDevices }
        return Int(count)
    }

    init(_ ordinal: Int, _ driver: cuda_driver) throws {
        let count = try Self.count(driver)
        guard let index = Int32(exactly: ordinal), (0..<count).contains(ordinal) else {
            throw CUDAError.noDevice(ordinal: ordinal, count: count)
        }
        var found: cuda_device = 0
        try driver.check("cuDeviceGet", driver.device_get(&found, index))
        let device = found
        func text(_ call: String, _ read: (UnsafeMutablePointer<CChar>, Int32) -> cuda_result) throws -> String {
            var text = [CChar](repeating: 0, count: 256)
            try driver.check(call, read(&text, 255))
            return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        func attribute(_ attribute: Int) throws -> Int {
            var value: Int32 = 0
            try driver.check("cuDeviceGetAttribute", driver.device_attribute(&value, Int32(attribute), device))
            return Int(value)
        }
        self.device = device
        product = try text("cuDeviceGetName") { driver.device_name($0, $1, device) }
        busID = try text("cuDeviceGetPCIBusId") { driver.device_bus_id($0, $1, device) }
        capability = Capability(
            major: try attribute(Int(CUDA_CAPABILITY_MAJOR)), minor: try attribute(Int(CUDA_CAPABILITY_MINOR)))
        processors = max(try attribute(Int(CUDA_MULTIPROCESSOR_COUNT)), 1)
    }
}

/// A device's primary context and a stream of our own, on the way to a `CUDADevice`.
private struct OpenedContext {
    let device: cuda_device
    let driver: cuda_driver
    private(set) var context: cuda_handle? = nil
    private(set) var stream: cuda_handle? = nil

    init(device: cuda_device, driver: cuda_driver) { (self.device, self.driver) = (device, driver) }

    mutating func open() throws {
        try driver.check("cuDevicePrimaryCtxRetain", driver.context_retain(&context, device))
        try driver.check("cuCtxSetCurrent", driver.context_set(context))
        // CU_STREAM_NON_BLOCKING: it does not wait for the default stream, which we do not use.
        try driver.check("cuStreamCreate", driver.stream_create(&stream, 1))
    }

    func close() {
        if stream != nil { _ = driver.stream_destroy(stream) }
        if context != nil { _ = driver.context_release(device) }
    }
}
