import Dispatch
import Glibc

/// Threads of the system, which it may refuse: a limit on processes, a container's on their number, no memory for a stack.
///
/// Foundation's `Thread` does not say so, and Dispatch tries again for ever.
package enum SystemThread {
    /// Starts a thread that ends with its work.
    /// - Throws: `ThreadError`.
    package static func start(_ name: String, stackSize: Int, _ work: @escaping @Sendable () -> Void) throws {
        pthread_detach(try create(name, stackSize: stackSize, work))
    }

    /// Calls `body` with 0 on this thread and with each number below `count` on one of its own, and waits for all of them.
    /// Where the system refuses threads, `body` is called less often: it must not rely on any number but 0.
    package static func together(_ count: Int, _ name: String, _ body: (Int) -> Void) {
        withoutActuallyEscaping(body) { body in
            nonisolated(unsafe) let body = body
            var threads: [pthread_t] = []
            for number in 0..<max(count, 1) where number > 0 {
                guard let thread = try? create(name, stackSize: 1 << 20, { body(number) }) else { break }
                threads.append(thread)
            }
            body(0)
            for thread in threads { pthread_join(thread, nil) }
        }
    }

    fileprivate static func create(
        _ name: String, stackSize: Int, _ work: @escaping @Sendable () -> Void
    ) throws -> pthread_t {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, stackSize)
        let work = Unmanaged.passRetained(ThreadWork(name, work))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, &attributes,
            { argument in
                guard let argument else { return nil }
                let work = Unmanaged<ThreadWork>.fromOpaque(argument).takeRetainedValue()
                nameThread(work.name)
                work.body()
                return nil
            }, work.toOpaque())
        guard code == 0 else {
            work.release()
            throw ThreadError(code: code)
        }
        return thread
    }
}

/// Names the thread that calls: a GNU extension, which Swift's module of the C library leaves out.
private func nameThread(_ text: String) {
    typealias SetName = @convention(c) (pthread_t, UnsafePointer<CChar>) -> Int32
    guard let symbol = dlsym(nil, "pthread_setname_np") else { return }
    // The system's names have 15 bytes.
    _ = unsafeBitCast(symbol, to: SetName.self)(pthread_self(), String(text.prefix(15)))
}

/// What a thread is given on its way.
private final class ThreadWork {
    let name: String
    let body: @Sendable () -> Void

    init(_ name: String, _ body: @escaping @Sendable () -> Void) { (self.name, self.body) = (name, body) }
}

/// The system refused a thread.
package struct ThreadError: Error, CustomStringConvertible, Sendable, Equatable {
    let code: Int32

    package var description: String {
        "no thread can be started: \(String(cString: strerror(code)).lowercased()); raise the limit on processes "
            + "(ulimit -u, a container's pids limit) or on memory"
    }
}

/// Threads that wait, so that others cannot have their places.
package final class ThreadReserve {
    /// Which others need while a command works: Dispatch for tasks and signals, and the work itself.
    package static let ofACommand = 8
    /// As much as threads get that nobody gave a size: under a limit of addresses they need it.
    private static let stackSize = 1 << 20

    private let gate = DispatchSemaphore(value: 0)
    private var threads: [pthread_t] = []

    /// What the system refused first; nil if it gave all of them.
    package private(set) var refusal: ThreadError?

    package init(_ count: Int = ofACommand) {
        for _ in 0..<count {
            do {
                let gate = gate
                threads.append(
                    try SystemThread.create("audioldm2-spare", stackSize: Self.stackSize, { gate.wait() }))
            } catch {
                refusal = error as? ThreadError
                break
            }
        }
    }

    /// Gives the places back, and waits until they are free.
    package func end() {
        for _ in threads { gate.signal() }
        for thread in threads { pthread_join(thread, nil) }
        threads = []
    }

    deinit { end() }
}
