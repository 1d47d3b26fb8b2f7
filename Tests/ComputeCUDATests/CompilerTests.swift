import ComputeCUDA
import Foundation
import Testing

/// The kernels' source through NVIDIA's compiler, which needs no GPU and no driver.
@Suite struct CompilerTests {
    /// AUDIOLDM2_NVRTC, or where the system has it.
    private static let compiler: KernelCompiler? = {
        let known = ["libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so.11.2"]
        let paths = CUDALibraryPaths().compilers ?? known + known.map { "/usr/local/cuda/lib64/" + $0 }
        return paths.lazy.compactMap { try? KernelCompiler(path: $0) }.first
    }()

    /// Those that this version knows: the oldest left with CUDA 13, the newest came with 12.8.
    private static var architectures: [String] {
        let version = (compiler?.version ?? "").split(separator: ".").compactMap { Int($0) }
        let (hasOldest, hasNewest) = (version.first ?? 0 < 13, !version.lexicographicallyPrecedes([12, 8]))
        return (hasOldest ? ["sm_61", "sm_70"] : []) + ["sm_75", "sm_80", "sm_86", "sm_90"]
            + (hasNewest ? ["sm_120"] : [])
    }

    @Test(
        .enabled(
            if: compiler != nil, "NVRTC is not installed: name it in AUDIOLDM2_NVRTC (make check-cuda fetches it)"),
        arguments: architectures)
    func everyKernelCompiles(for architecture: String) throws {
        let compiler = try #require(Self.compiler)
        let capability = Capability(number: try #require(Int(architecture.dropFirst(3))))
        let target = try compiler.target(for: capability)
        #expect(target == KernelTarget(capability, isBinary: true))
        let binary = try compiler.compile(KernelSource.text, for: target)
        let names = String(decoding: binary, as: UTF8.self)
        for kernel in Kernel.allCases {
            #expect(
                names.contains(".text." + kernel.rawValue) == Kernel.all(for: capability).contains(kernel), "\(kernel)")
        }
    }

    @Test(.enabled(if: compiler != nil, "NVRTC is not installed"))
    func whatDoesNotCompileSaysWhy() throws {
        let compiler = try #require(Self.compiler)
        let error = #expect(throws: CUDAError.self) {
            try compiler.compile("nonsense;", for: KernelTarget(Capability(number: 80), isBinary: true))
        }
        #expect(error?.description.contains("nonsense") == true)
    }

    /// For a device that no compiler knows yet: PTX of the newest that this one knows.
    @Test(.enabled(if: compiler != nil, "NVRTC is not installed"))
    func newerDevicesGetPTX() throws {
        let compiler = try #require(Self.compiler)
        let target = try compiler.target(for: Capability(number: 990))
        let text = String(
            decoding: try compiler.compile("extern \"C\" __global__ void nothing() {}", for: target), as: UTF8.self)
        #expect(!target.isBinary && text.contains(".target " + target.name.replacing("compute", with: "sm")))
        #expect(text.contains(".entry nothing") && text.hasSuffix("\0"))
        #expect(throws: CUDAError.self) { try compiler.target(for: Capability(number: 20)) }
    }
}
