import FuzzDriver
import Glibc

/// Memory that reading an input takes at once: what was allocated, where a sanitizer counts it, else what was resident; among
/// thousands of inputs a second, what one takes beyond all before it.
enum Memory {
    private static let isCounted = fuzz_count_memory() != 0
    private static let isHurried = fuzz_has_engine() != 0
    nonisolated(unsafe) private static var before = 0

    static func beginPeak() {
        guard !isCounted else { return fuzz_begin_peak() }
        guard !isHurried else {
            before = highestEver
            return
        }
        // What was freed goes back, and the highest mark becomes what is resident now.
        fuzz_release_memory()
        let descriptor = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC)
        if descriptor >= 0 {
            write(descriptor, "5", 1)
            close(descriptor)
        }
        before = highest
    }

    static var peak: Int { isCounted ? Int(fuzz_peak()) : (isHurried ? highestEver : highest) - before }

    private static var highestEver: Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss << 10
    }

    private static var highest: Int {
        let descriptor = open("/proc/self/status", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return 0 }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 8192)
        let count = max(read(descriptor, &buffer, buffer.count), 0)
        let line = String(decoding: buffer[..<count], as: UTF8.self).split(separator: "\n").first {
            $0.hasPrefix("VmHWM:")
        }
        return (line?.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) } ?? 0) << 10
    }
}
