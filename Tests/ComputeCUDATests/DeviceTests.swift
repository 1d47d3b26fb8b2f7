import Compute
import ComputeCUDA
import Foundation
import Tensors
import TestSupport
import Testing

/// Libraries, devices and compiled kernels that are there, missing or damaged.
@Suite(.enabled(if: EmulatedGPU.isHere, "\(EmulatedGPU.absence)"))
struct DeviceTests {
    private let folder: TemporaryFolder
    private var cache: URL { URL(fileURLWithPath: folder.file("cache")) }

    init() throws { folder = try TemporaryFolder() }

    private func device(
        _ ordinal: Int = 0, driver: String? = EmulatedGPU.library, compiler: String? = EmulatedGPU.library
    ) throws -> CUDADevice {
        try CUDADevice(
            ordinal, libraries: CUDALibraryPaths(driver: driver, compiler: compiler), cacheFolder: cache)
    }

    private var kernels: URL? {
        (try? FileManager.default.contentsOfDirectory(at: cache, includingPropertiesForKeys: nil))?
            .first { $0.pathExtension == "cubin" }
    }

    @Test func withoutADriverThereIsNoGPU() {
        let error = #expect(throws: CUDAError.self) { try device(driver: "/nowhere/libcuda.so.1") }
        #expect(error?.meansNoGPU == true && "\(error?.description ?? "")".contains("/nowhere/libcuda.so.1"))
    }

    @Test func aLibraryThatIsNoDriverNamesWhatItLacks() {
        #expect(throws: CUDAError.missing(.driver, path: "libm.so.6", function: "cuInit")) {
            try device(driver: "libm.so.6")
        }
    }

    @Test func withoutADeviceThereIsNoGPU() {
        let error = #expect(throws: CUDAError.noDevices) { try EmulatedGPU.finding(devices: -1) { try device() } }
        #expect(error?.meansNoGPU == true)
    }

    @Test func devicesThatAreNotThereAreRefused() {
        #expect(throws: CUDAError.noDevice(ordinal: 7, count: 1)) { try device(7) }
    }

    /// Work and memory are the second device's, and both can be used side by side.
    @Test func theSecondDeviceHasAContextOfItsOwn() throws {
        let (first, second) = try EmulatedGPU.finding(devices: 4) { (try device(2), try device(3)) }
        #expect(second.description == "cuda:3 (Emulated GPU 3, sm_80)")
        let backends = [first, second].map { CUDABackend($0) }
        let values = (0..<1000).map(Float.init)
        let before = try (first.memory().available, second.memory().available)
        let x = try backends[1].upload(values, [1, 1000])
        #expect(try first.memory().available == before.0 && second.memory().available < before.1)
        let y = try backends[0].upload(values, [1, 1000])
        #expect(try first.memory().available < before.0)
        #expect(try backends[1].combine([(2, x)]).values() == values.map { 2 * $0 })
        #expect(try backends[0].combine([(3, y)]).values() == values.map { 3 * $0 })
        #expect(throws: TensorError.self) { try backends[0].combine([(1, x), (1, y)]) }
    }

    /// As drivers give it: large pieces in whole pages, which small ones share; all weights of a component in one.
    @Test func memoryIsCountedInTheDriversPages() throws {
        let gpu = try EmulatedGPU.finding(devices: 8) { try device(7) }
        for size in [1, 1000, 600_000, 1 << 20, 1 << 20 + 1, 5_000_000] {
            let cuda = CUDABackend(gpu)
            let before = try gpu.memory().available
            let tensors: [Tensor] = try (0..<3).map { _ in try cuda.empty([size / 4 + 1]) }
            let taken = before - (try gpu.memory().available)
            #expect(taken <= cuda.peakActivationBytes + 2 << 20 && taken >= 3 * size, "\(size)")
            #expect(tensors.count == 3)
        }
        let cuda = CUDABackend(gpu)
        let role = WeightRole.matrix(outputs: 700, inputs: 500)
        let weights = (0..<5).map { _ in ConstantWeight(WeightDescription(role: role, format: .float32)) }
        let before = try gpu.memory().available
        var room = try cuda.room(for: weights.map(\.description))
        let prepared = try weights.map { try cuda.prepare($0) }
        #expect(room != nil)
        room = nil
        // Seven megabytes in four pages, where five pieces would take five.
        #expect(try before - gpu.memory().available == 8 << 20)
        let x = try cuda.upload([Float](repeating: 1, count: 500), [1, 1, 500])
        for weight in prepared {
            #expect(try cuda.linear(x, weight, Epilogue()).values() == [Float](repeating: 125, count: 700))
        }
    }

    /// A weight of quarters.
    private final class ConstantWeight: WeightData {
        let description: WeightDescription
        let name = "quarters"

        init(_ description: WeightDescription) { self.description = description }

        func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
            try [Float](repeating: 0.25, count: description.role.shape.count).withUnsafeBytes(body)
        }
    }

    /// What was compiled is kept, and serves without a compiler.
    @Test func kernelsAreBuiltOnce() throws {
        let error = #expect(throws: CUDAError.self) { try device(compiler: "/nowhere/libnvrtc.so") }
        #expect(error?.description.contains("AUDIOLDM2_NVRTC") == true)
        #expect(try device().description == "cuda:0 (Emulated GPU 0, sm_80)")
        _ = try device(compiler: "/nowhere/libnvrtc.so")
    }

    @Test func buildingIsSaidOnce() throws {
        let libraries = CUDALibraryPaths(driver: EmulatedGPU.library, compiler: EmulatedGPU.library)
        var notices: [String] = []
        for _ in 0..<2 { _ = try CUDADevice(libraries: libraries, cacheFolder: cache) { notices.append($0) } }
        #expect(notices.count == 1 && notices[0].hasPrefix("compiling kernels for Emulated GPU 0"))
    }

    @Test func damagedKernelsAreBuiltAgain() throws {
        _ = try device()
        let file = try #require(kernels)
        let whole = try Data(contentsOf: file)
        for damaged in [whole.dropLast(3), Data("no".utf8), Data(whole.map { $0 ^ 1 }), Data()] {
            try Data(damaged).write(to: file)
            #expect(throws: CUDAError.self) { try device(compiler: "/nowhere/libnvrtc.so") }
            _ = try device()
            #expect(try Data(contentsOf: file) == whole)
        }
    }

    /// Whole, but not for this driver: it refuses them, and they are built again.
    @Test func staleKernelsAreBuiltAgain() throws {
        _ = try device()
        let file = try #require(kernels)
        let whole = try Data(contentsOf: file)
        let key = KernelCache.Key(
            sourceHash: KernelSource.hash, architecture: "sm_80", driverVersion: 13000,
            build: KernelBuild(
                compilerVersion: "13.0", target: KernelTarget(Capability(number: 80), isBinary: true)))
        KernelCache(folder: cache).write(Array("of another driver".utf8), for: key)
        #expect(try Data(contentsOf: file) != whole)
        _ = try device()
        #expect(try Data(contentsOf: file) == whole)
    }

    /// A newer compiler that no longer knows the device; the older one's kernels are found again.
    @Test func theNextCompilerIsTried() throws {
        var libraries = CUDALibraryPaths(driver: EmulatedGPU.library, compiler: EmulatedGPU.refusingLibrary)
        func device() throws -> CUDADevice {
            try EmulatedGPU.finding(capability: 70) { try CUDADevice(libraries: libraries, cacheFolder: cache) }
        }
        let error = #expect(throws: CUDAError.self) { try device() }
        #expect(error?.meansNoGPU == false && error?.description.contains("could not compile") == true)
        libraries.compilers? += [EmulatedGPU.library ?? ""]
        for _ in 0..<2 { #expect(try device().description.contains("sm_70")) }
        #expect(kernels?.lastPathComponent.contains("nvrtc13.0") == true)
    }

    /// An older compiler's: for another device of the same generation as they are, for newer ones as PTX, which the driver
    /// finishes; with what that architecture has. They are found again, with the compiler and without.
    @Test(arguments: [(89, 86, "sm_86", true), (90, 86, "compute_86", true), (120, 75, "compute_75", false)])
    func devicesNewerThanTheCompilerAreServed(
        _ own: Int, _ newest: Int, _ target: String, _ hasByteMMA: Bool
    ) throws {
        func device(compiler: String? = EmulatedGPU.library) throws -> CUDADevice {
            try EmulatedGPU.finding(capability: own) {
                try EmulatedGPU.compiling(upTo: newest) { try self.device(compiler: compiler) }
            }
        }
        let (first, before) = (try device(), EmulatedGPU.launches(of: "product_mma"))
        #expect(first.description.contains("sm_\(own)") && first.target.name == target)
        #expect(try CUDABackend(checking: first, against: reference).usesMMA)
        #expect((EmulatedGPU.launches(of: "product_mma") > before) == hasByteMMA)
        #expect(kernels?.lastPathComponent.contains("sm_\(own)-driver13000-nvrtc13.0-\(target)") == true)
        for compiler in [EmulatedGPU.library, "/nowhere/libnvrtc.so"] {
            #expect(try device(compiler: compiler).target == first.target)
        }
    }

    @Test func devicesOlderThanTheCompilerAreNamed() throws {
        let error = #expect(throws: CUDAError.self) {
            try EmulatedGPU.finding(capability: 70) { try device(compiler: EmulatedGPU.refusingLibrary) }
        }
        #expect(error == .architecture("sm_70", version: "13.1"))
        #expect(error?.description.contains("older NVRTC") == true)
    }

    @Test func aFolderThatCannotBeWrittenOnlyCostsTime() throws {
        try Data().write(to: cache)
        _ = try device()
    }

    @Test func theOutcomeOfTheSelfCheckIsKept() throws {
        let first = try device()
        #expect(first.checkOutcome == nil)
        #expect(try CUDABackend(checking: first, against: reference).usesMMA)
        #expect(first.checkOutcome == .mma)
        first.note(.plain)
        #expect(try !CUDABackend(checking: device(), against: reference).usesMMA)
    }

    /// Not that of a device that computes something else: another build of the driver may have mended it.
    @Test func aFailedSelfCheckIsMadeAgain() throws {
        for _ in 0..<2 {
            let failure = #expect(throws: CUDAError.self) {
                try EmulatedGPU.breaking("rms_norm") { try CUDABackend(checking: device(), against: reference) }
            }
            #expect(failure?.description.contains("norms") == true)
        }
        #expect(try CUDABackend(checking: device(), against: reference).usesMMA)
    }

    @Test func aLibraryToLinkToIsNoDriver() {
        let error = #expect(throws: CUDAError.self) { try EmulatedGPU.finding(devices: -2) { try device() } }
        #expect(error == .stubDriver(path: EmulatedGPU.library ?? "") && error?.meansNoGPU == true)
    }

    /// Parts of a GPU tell how much memory is in use, and not how much they compute.
    @Test func whatSensorsDoNotTellIsLeftOut() throws {
        let libraries = CUDALibraryPaths(
            driver: EmulatedGPU.library, compiler: EmulatedGPU.library, monitor: EmulatedGPU.library)
        let device = try CUDADevice(libraries: libraries, cacheFolder: cache)
        #expect(device.reading?.utilization == 0.5 && device.reading?.watts == 100)
        let partial = EmulatedGPU.failing("nvmlDeviceGetUtilizationRates") { device.reading }
        #expect(partial != nil && partial?.utilization == nil && partial?.watts == 100)
    }

    @Test func theSelfCheckDoesNotNeedTheCache() throws {
        try Data().write(to: cache)
        let before = EmulatedGPU.launches(of: "layer_norm")
        #expect(try CUDABackend(checking: device(), against: reference).usesMMA)
        #expect(EmulatedGPU.launches(of: "layer_norm") == before + 1)
        #expect(
            try !EmulatedGPU.breaking("product_mma") { try CUDABackend(checking: device(), against: reference).usesMMA }
        )
        #expect(throws: CUDAError.self) {
            try EmulatedGPU.breaking("rms_norm") { try CUDABackend(checking: device(), against: reference) }
        }
    }

    /// What is uploaded may be changed, or gone, as soon as that returns.
    @Test func uploadsDoNotOutliveTheirSource() throws {
        let backend = CUDABackend(try device())
        var values = (0..<1000).map(Float.init)
        let x = try backend.upload(values, [1000])
        for index in values.indices { values[index] = -1 }
        #expect(try x.values() == (0..<1000).map(Float.init) && values[0] == -1)
    }

    @Test func memoryIsWhatTheDeviceSays() throws {
        let memory = try device().memory()
        #expect(memory.total == 1 << 30 && memory.available <= memory.total)
    }
}

/// What a GPU is compared with.
func reference() throws -> any Backend { try CPUBackend(threadCount: 1, usesBLAS: false) }
