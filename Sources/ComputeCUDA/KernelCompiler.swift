import CCUDA

/// NVRTC: CUDA C++ to a program for one architecture. Needs no driver.
package struct KernelCompiler: Sendable {
    private let functions: cuda_compiler
    /// "12.4"
    package let version: String
    package let major: Int

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
        self.functions = functions
        version = "\(major).\(minor)"
        self.major = Int(major)
    }

    /// - Parameter architecture: "sm_80".
    /// - Returns: a cubin.
    /// - Throws: `CUDAError.compilation` with the beginning of the compiler's log: also for an architecture that this
    ///   version does not know, or no longer.
    package func compile(_ source: String, for architecture: String) throws -> [UInt8] {
        var program: cuda_handle? = nil
        try check("nvrtcCreateProgram", functions.create(&program, source, "audioldm2.cu", 0, nil, nil))
        defer { _ = functions.destroy(&program) }
        let result = withCStrings(["--gpu-architecture=" + architecture, "--std=c++17"]) {
            functions.compile(program, Int32($0.count), $0.baseAddress)
        }
        guard result == 0 else { throw CUDAError.compilation(log: log(of: program)) }
        var size = 0
        try check("nvrtcGetCUBINSize", functions.binary_size(program, &size))
        var binary = [UInt8](repeating: 0, count: size)
        try binary.withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress else { throw CUDAError.compilation(log: "an empty program") }
            try check("nvrtcGetCUBIN", functions.binary(program, base.assumingMemoryBound(to: CChar.self)))
        }
        return binary
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
