import FoundationEssentials
import Glibc

/// Memory that comes from the system and goes back to it, aligned to at least 64 bytes; contents are unspecified.
package enum SystemMemory {
    package static let alignment = 64
    /// From this size on memory is mapped, because the allocator may keep what is freed to it.
    private static let mappingThreshold = 1 << 16
    static let page = 1 << 12

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
