import CCUDA

/// What kernels are compiled for: a device's own architecture, or an older one that it can run.
package struct KernelTarget: Hashable, Sendable {
    package let capability: Capability
    /// A program for devices of the same major capability, or PTX, which the driver finishes for any newer one.
    package let isBinary: Bool

    package init(_ capability: Capability, isBinary: Bool) { (self.capability, self.isBinary) = (capability, isBinary) }

    /// Of a name such as "sm_80" or "compute_86"; nil for any other.
    init?(name: String) {
        let parts = name.split(separator: "_", omittingEmptySubsequences: false)
        guard parts.count == 2, ["sm", "compute"].contains(parts[0]), let number = Int(parts[1]), number >= 0 else {
            return nil
        }
        self.init(Capability(number: number), isBinary: parts[0] == "sm")
    }

    package var name: String { (isBinary ? "sm_" : "compute_") + "\(capability.number)" }
}

/// NVRTC: CUDA C++ to a program for one architecture. Needs no driver.
package struct KernelCompiler: Sendable {
    private let functions: cuda_compiler
    /// "12.4"
    package let version: String
    package let major: Int
    /// What it knows, 80 for sm_80.
    private let architectures: [Int]
    /// Beside the architecture.
    static let options = ["--std=c++17"]

    /// - Throws: `CUDAError.missing`: no library at `path`.
    package init(path: String) throws {
        var missing: UnsafePointer<CChar>?
        guard let functions = cuda_load_compiler(path, &missing) else {
            throw CUDAError.missing(.compiler, path: path, function: missing.map { String(cString: $0) })
        }
        try self.init(functions.pointee)
    }

    init(_ functions: cuda_compiler) throws {
        var (major, minor): (Int32, Int32) = (0, 0)
        try Self.check(functions, "nvrtcVersion", functions.version(&major, &minor))
        var count: Int32 = 0
        try Self.check(functions, "nvrtcGetNumSupportedArchs", functions.architecture_count(&count))
        var known = [Int32](repeating: 0, count: max(Int(count), 1))
        try Self.check(functions, "nvrtcGetSupportedArchs", functions.architectures(&known))
        architectures = known.map(Int.init)
        self.functions = functions
        version = "\(major).\(minor)"
        self.major = Int(major)
    }

    /// What to compile for a device: the newest architecture that this version knows and the device can run.
    /// - Throws: `CUDAError.architecture`: all are newer.
    package func target(for capability: Capability) throws -> KernelTarget {
        let older = architectures.filter { $0 > 0 && $0 <= capability.number }.map { Capability(number: $0) }
        guard let newest = older.max(by: { $0.number < $1.number }) else {
            throw CUDAError.architecture(capability.architecture, version: version)
        }
        return KernelTarget(newest, isBinary: newest.major == capability.major)
    }

    /// - Returns: a cubin, or PTX with a zero behind it.
    /// - Throws: `CUDAError.compilation` with the beginning of the compiler's log.
    package func compile(_ source: String, for target: KernelTarget) throws -> [UInt8] {
        var program: cuda_handle? = nil
        try check("nvrtcCreateProgram", functions.create(&program, source, "audioldm2.cu", 0, nil, nil))
        defer { _ = functions.destroy(&program) }
        let result = withCStrings(["--gpu-architecture=" + target.name] + Self.options) {
            functions.compile(program, Int32($0.count), $0.baseAddress)
        }
        guard result == 0 else { throw CUDAError.compilation(log: log(of: program)) }
        return target.isBinary
            ? try bytes("nvrtcGetCUBIN", of: program, functions.binary_size, functions.binary)
            : try bytes("nvrtcGetPTX", of: program, functions.text_size, functions.text)
    }

    private func bytes(
        _ call: String, of program: cuda_handle?, _ measure: (cuda_handle?, UnsafeMutablePointer<Int>) -> Int32,
        _ read: (cuda_handle?, UnsafeMutablePointer<CChar>) -> Int32
    ) throws -> [UInt8] {
        var size = 0
        try check(call + "Size", measure(program, &size))
        var result = [UInt8](repeating: 0, count: size)
        try result.withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress else { throw CUDAError.compilation(log: "an empty program") }
            try check(call, read(program, base.assumingMemoryBound(to: CChar.self)))
        }
        return result
    }

    private func log(of program: cuda_handle?) -> String {
        var size = 0
        guard functions.log_size(program, &size) == 0, size > 0 else { return "no log" }
        var log = [CChar](repeating: 0, count: size)
        guard functions.log(program, &log) == 0 else { return "no log" }
        let text = String(decoding: log.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return String(text.prefix(400)).split(separator: "\n").joined(separator: "; ")
    }

    private func check(_ call: String, _ result: Int32) throws { try Self.check(functions, call, result) }

    private static func check(_ functions: cuda_compiler, _ call: String, _ result: Int32) throws {
        guard result != 0 else { return }
        throw CUDAError.call(call, result: String(cString: functions.error_string(result)))
    }

    private func withCStrings<Result>(
        _ strings: [String], _ body: (UnsafeBufferPointer<UnsafePointer<CChar>?>) -> Result
    ) -> Result {
        let bytes = strings.map { Array($0.utf8CString) }
        let flat = bytes.flatMap(\.self)
        return flat.withUnsafeBufferPointer { flat in
            var start = 0
            let pointers = bytes.map { string -> UnsafePointer<CChar>? in
                defer { start += string.count }
                return flat.baseAddress.map { $0 + start }
            }
            return pointers.withUnsafeBufferPointer(body)
        }
    }
}
