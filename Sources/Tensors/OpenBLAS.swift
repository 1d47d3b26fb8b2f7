import Glibc
import Synchronization

/// OpenBLAS, loaded when somebody first wants it, with one thread per call.
///
/// Linked, it would start threads of its own before `main`, in programs that never multiply too, and there is no other
/// way to stop it than a variable that it reads as it is loaded.
package struct OpenBLAS {
    private typealias SetThreads = @convention(c) (Int32) -> Void

    private static let name = "libopenblas.so.0"
    private static let missing = TensorError.missingLibrary(name: name, package: "libopenblas0")
    private static let loading = Mutex(())

    private let handle: UnsafeMutableRawPointer

    /// - Throws: `TensorError.missingLibrary`.
    package static func load() throws -> OpenBLAS {
        try loading.withLock { _ in
            let variable = "OPENBLAS_NUM_THREADS"
            let previous = getenv(variable).map { String(cString: $0) }
            setenv(variable, "1", 1)
            defer { if let previous { setenv(variable, previous, 1) } else { unsetenv(variable) } }
            guard let handle = dlopen(name, RTLD_NOW | RTLD_LOCAL) else { throw missing }
            let library = OpenBLAS(handle: handle)
            // For programs that had loaded it before, with threads.
            try library.function("openblas_set_num_threads", as: SetThreads.self)(1)
            return library
        }
    }

    /// A function of the library.
    /// - Parameter type: a C function's, as the library declares it.
    /// - Throws: `TensorError.missingLibrary` for one that this build of it leaves out.
    package func function<Function>(_ name: String, as type: Function.Type) throws -> Function {
        guard let symbol = dlsym(handle, name) else { throw Self.missing }
        return unsafeBitCast(symbol, to: type)
    }
}
