import Foundation

/// The emulated driver, compiler and monitor of `Tests/FakeCUDA`, built once by its Makefile.
package enum EmulatedGPU {
    /// Nil if there is no clang or no make.
    package static let library: String? = {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
            .appendingPathComponent("fake-cuda").path
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["make", "-s", "-C", tests.appendingPathComponent("FakeCUDA").path, "BUILD=" + folder]
        guard (try? process.run()) != nil else { return nil }
        process.waitUntilExit()
        return process.terminationStatus == 0 ? folder + "/libfakecuda.so" : nil
    }()

    /// The same with a driver that has no graphs.
    package static var libraryWithoutGraphs: String? {
        beside("without-graphs")
    }

    /// The same with a newer compiler that knows no device before sm_75.
    package static var refusingLibrary: String? { beside("refusing") }

    private static func beside(_ name: String) -> String? {
        library.map { ($0 as NSString).deletingLastPathComponent + "/libfakecuda-\(name).so" }
    }

    /// Runs a kernel's threads in the reverse order from now on, or no more.
    package static func reverseThreads(_ isReversed: Bool) {
        symbol("emulation_is_reversed")?.assumingMemoryBound(to: Int32.self).pointee = isReversed ? 1 : 0
    }

    /// How many graphs this process has launched on a device, and how many there are that could be.
    package static func graphs(on ordinal: Int) -> (launches: Int, alive: Int) {
        let count = { (name: String) in Int(symbol(name)?.assumingMemoryBound(to: Int32.self)[ordinal] ?? 0) }
        return (count("fake_cuda_graph_launches"), count("fake_cuda_graphs"))
    }

    /// How often the calling thread ran a kernel; −1 for one that is not there.
    package static func launches(of kernel: String) -> Int {
        typealias Count = @convention(c) (UnsafePointer<CChar>) -> Int32
        return Int(symbol("fake_cuda_launches").map { unsafeBitCast($0, to: Count.self)(kernel) } ?? -1)
    }

    /// The most memory that a device had in use since this was last asked, in bytes.
    package static func peakBytes(ofDevice ordinal: Int) -> Int {
        typealias Peak = @convention(c) (Int32) -> Int
        return symbol("fake_cuda_peak").map { unsafeBitCast($0, to: Peak.self)(Int32(ordinal)) } ?? 0
    }

    /// What devices the calling thread finds while `body` runs.
    /// - Parameters:
    ///   - devices: −1 for none, −2 for a library that is no driver.
    ///   - capability: 75 for sm_75.
    package static func finding<Result>(
        devices: Int = 1, capability: Int = 80, _ body: () throws -> Result
    ) rethrows -> Result {
        let variables = [("fake_cuda_devices", devices), ("fake_cuda_capability", capability)]
        func set(_ values: [(String, Int)]) {
            for (name, value) in values { symbol(name)?.assumingMemoryBound(to: Int.self).pointee = value }
        }
        set(variables)
        defer { set(variables.map { ($0.0, 0) }) }
        return try body()
    }

    /// Has the compiler know no newer architecture on the calling thread while `body` runs: 86 for sm_86.
    package static func compiling<Result>(upTo architecture: Int, _ body: () throws -> Result) rethrows -> Result {
        let newest = symbol("fake_nvrtc_newest")?.assumingMemoryBound(to: Int.self)
        newest?.pointee = architecture
        defer { newest?.pointee = 0 }
        return try body()
    }

    /// Has a call fail on the calling thread while `body` runs.
    package static func failing<Result>(_ call: String, _ body: () throws -> Result) rethrows -> Result {
        try setting("fake_cuda_failing", call, body)
    }

    /// Has a kernel do nothing on the calling thread while `body` runs.
    package static func breaking<Result>(_ kernel: String, _ body: () throws -> Result) rethrows -> Result {
        try setting("fake_cuda_wrong", kernel, body)
    }

    private static func setting<Result>(
        _ name: String, _ value: String, _ body: () throws -> Result
    ) rethrows -> Result {
        let variable = symbol(name)?.assumingMemoryBound(to: UnsafePointer<CChar>?.self)
        return try value.withCString { value in
            variable?.pointee = value
            defer { variable?.pointee = nil }
            return try body()
        }
    }

    /// A variable of the library: one of the process would be set while others read theirs.
    private static func symbol(_ name: String) -> UnsafeMutableRawPointer? {
        library.flatMap { dlopen($0, RTLD_NOW) }.flatMap { dlsym($0, name) }
    }

    package static var isHere: Bool { library != nil }
    package static let absence = "the emulated GPU needs clang and make"

    /// Variables for a command that is to use it.
    /// - Parameters:
    ///   - cache: a folder for compiled kernels.
    ///   - settings: in the place of these variables, and more.
    package static func environment(cache: String, _ settings: [String: String] = [:]) -> [String: String] {
        let library = library ?? ""
        return [
            "AUDIOLDM2_CUDA_DRIVER": library, "AUDIOLDM2_NVRTC": library, "AUDIOLDM2_NVML": library,
            "XDG_CACHE_HOME": cache,
        ].merging(settings) { $1 }
    }
}
