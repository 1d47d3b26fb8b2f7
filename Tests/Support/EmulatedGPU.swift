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

    /// Runs a kernel's threads in the reverse order from now on, or no more.
    package static func reverseThreads(_ isReversed: Bool) {
        // A variable of the process would be set while others read theirs.
        guard let library, let handle = dlopen(library, RTLD_NOW), let flag = dlsym(handle, "emulation_is_reversed")
        else { return }
        flag.assumingMemoryBound(to: Int32.self).pointee = isReversed ? 1 : 0
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
