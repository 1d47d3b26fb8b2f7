import FoundationEssentials
import Glibc

/// How much memory the system lets this process have, at the most.
package struct MemoryLimit: Sendable, Equatable {
    package let bytes: Int
    /// What says so: a resource limit by the commands that set it, or a control group's file.
    package let source: String

    package init(bytes: Int, source: String) { (self.bytes, self.source) = (bytes, source) }

    /// The smallest one; nil if there is none: `ulimit -d` (`prlimit --data`), what `ulimit -v` (`prlimit --as`) leaves beside
    /// the programs and files that are mapped now, and the limits of control groups.
    package static var current: MemoryLimit? {
        var limits = groups.map(\.limit)
        if let bytes = resource(RLIMIT_DATA) {
            limits.append(MemoryLimit(bytes: bytes, source: "ulimit -d, prlimit --data"))
        }
        if let bytes = resource(RLIMIT_AS) {
            limits.append(MemoryLimit(bytes: max(bytes - mappedBytes, 0), source: "ulimit -v, prlimit --as"))
        }
        return limits.min { $0.bytes < $1.bytes }
    }

    /// What this process could have now without anybody's memory being taken away, with what it has: of the machine, and of
    /// the limits of its control groups. Nil if the system does not say.
    package static var available: Int? {
        let free = SystemFiles.numbers("/proc/meminfo")["MemAvailable"].map { $0 << 10 }
        let rooms = [free].compactMap(\.self) + groups.map { max($0.limit.bytes - $0.taken, 0) }
        return rooms.min().map { $0 + ownBytes }
    }

    /// Limits of control groups, and what is taken of each but for the contents of files, which can go. Limits above what the
    /// machine has are none: version 1 says "none" by a number.
    private static var groups: [(limit: MemoryLimit, taken: Int)] {
        let most = SystemFiles.numbers("/proc/meminfo")["MemTotal"].map { $0 << 10 } ?? .max
        return ControlGroups().folders(of: "memory").compactMap { folder in
            let name = folder.path + (folder.isUnified ? "/memory.max" : "/memory.limit_in_bytes")
            guard let bytes = SystemFiles.number(name), (0..<most).contains(bytes) else { return nil }
            let used = SystemFiles.number(
                folder.path + (folder.isUnified ? "/memory.current" : "/memory.usage_in_bytes"))
            let parts = SystemFiles.numbers(folder.path + "/memory.stat")
            let prefix = folder.isUnified ? "" : "total_"
            let files = ["inactive_file", "active_file"].compactMap { parts[Substring(prefix + $0)] }.reduce(0, +)
            return (MemoryLimit(bytes: bytes, source: name), max((used ?? 0) - files, 0))
        }
    }

    private static func resource(_ resource: __rlimit_resource) -> Int? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0 else { return nil }
        return Int(exactly: limit.rlim_cur)
    }

    /// Pages of the process: all, resident, shared, of programs, 0, of data and stacks; empty if the system does not say.
    private static var pages: [Int] {
        (SystemFiles.text("/proc/self/statm") ?? "").split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
    }

    /// Addresses that do not count as data.
    private static var mappedBytes: Int {
        let pages = pages
        return pages.count > 5 ? (pages[0] - pages[5]) * SystemMemory.page : 0
    }

    /// Memory that is the process' own.
    private static var ownBytes: Int {
        let pages = pages
        return pages.count > 2 ? max(pages[1] - pages[2], 0) * SystemMemory.page : 0
    }
}
