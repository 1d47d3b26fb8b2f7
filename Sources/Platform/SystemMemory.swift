import FoundationEssentials
import Glibc

/// Memory that comes from the system and goes back to it, aligned to at least 64 bytes; contents are unspecified.
package enum SystemMemory {
    package static let alignment = 64
    /// From this size on memory is mapped, because the allocator may keep what is freed to it.
    private static let mappingThreshold = 1 << 16
    private static let page = 1 << 12

    /// What the system allows this process, in bytes; nil if that is not limited: `ulimit -d` (`prlimit --data`), or what
    /// `ulimit -v` (`prlimit --as`) leaves beside the programs and files that are mapped now.
    package static var processLimit: Int? {
        let addresses = limit(RLIMIT_AS).map { max($0 - mappedBytes, 0) }
        return [limit(RLIMIT_DATA), addresses].compactMap(\.self).min()
    }

    private static func limit(_ resource: __rlimit_resource) -> Int? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0 else { return nil }
        return Int(exactly: limit.rlim_cur)
    }

    /// Addresses that do not count as data; 0 if the system does not say.
    private static var mappedBytes: Int {
        // Pages: all, resident, shared, of programs, 0, of data and stacks.
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        let pages = text.split(separator: " ").compactMap { Int($0) }
        return pages.count > 5 ? (pages[0] - pages[5]) * page : 0
    }

    /// - Returns: nil if there is not enough memory.
    package static func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer? {
        var start: UnsafeMutableRawPointer?
        guard byteCount >= mappingThreshold else {
            return posix_memalign(&start, alignment, max(byteCount, 1)) == 0 ? start : nil
        }
        start = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        return start == MAP_FAILED ? nil : start
    }

    /// - Parameter byteCount: as it was allocated.
    package static func release(_ start: UnsafeMutableRawPointer, _ byteCount: Int) {
        if byteCount >= mappingThreshold {
            munmap(start, byteCount)
        } else {
            free(start)
        }
    }

    /// What the system has to give for that many bytes.
    package static func footprint(_ byteCount: Int) -> Int {
        let step = byteCount >= mappingThreshold ? page : alignment
        return (byteCount + step - 1) / step * step
    }
}
