import Foundation

/// Memory of 64-byte alignment that belongs to one object and returns to the system with it.
final class AlignedMemory: @unchecked Sendable {
    // Unchecked: written by disjoint chunks while a weight is loaded, only read afterwards.
    let bytes: UnsafeMutableRawBufferPointer
    private let isMapped: Bool

    /// From this size on memory is mapped, because the allocator may keep what is freed to it.
    private static let mappingThreshold = 1 << 16

    /// Contents are unspecified. nil if there is not enough memory.
    init?(byteCount: Int) {
        isMapped = byteCount >= Self.mappingThreshold
        var start: UnsafeMutableRawPointer?
        if isMapped {
            start = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
            if start == MAP_FAILED { start = nil }
        } else if posix_memalign(&start, PackFormat.alignment, max(byteCount, 1)) != 0 {
            start = nil
        }
        guard let start else { return nil }
        bytes = UnsafeMutableRawBufferPointer(start: start, count: byteCount)
    }

    /// What the system has to give for that many bytes.
    static func footprint(_ byteCount: Int) -> Int {
        let step = byteCount >= mappingThreshold ? 1 << 12 : PackFormat.alignment
        return (byteCount + step - 1) / step * step
    }

    deinit {
        if isMapped {
            munmap(bytes.baseAddress, bytes.count)
        } else {
            free(bytes.baseAddress)
        }
    }
}
