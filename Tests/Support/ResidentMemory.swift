import Foundation

/// Memory that a process has now: its pages in memory, mapped files included.
///
/// Tests run beside each other in one process. A test for which a few megabytes matter asks in a process of its own,
/// by `#expect(processExitsWith:)`.
package enum ResidentMemory {
    /// Byte count of this process, or of another; 0 if there is no such process.
    package static func bytes(of process: Int32 = getpid()) -> Int {
        let text = (try? String(contentsOfFile: "/proc/\(process)/statm", encoding: .utf8)) ?? ""
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }
}
