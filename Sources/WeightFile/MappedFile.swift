import Files
import Foundation

/// A regular file mapped for reading, as long as the object lives.
///
/// Like every mapped file it must not shrink while it is in use; replacing it by a rename is fine.
final class MappedFile: @unchecked Sendable {
    // Unchecked: the pointer never changes and nobody writes through it.
    let bytes: UnsafeRawBufferPointer

    /// - Throws: `PackError`: `notFound`, `unreadable`.
    init(path: String) throws {
        let (descriptor, count) = try Self.open(path)
        defer { close(descriptor) }
        guard count > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        guard let start = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
            throw PackError.unreadable(path: path, reason: SystemError.text(errno))
        }
        bytes = UnsafeRawBufferPointer(start: start, count: count)
    }

    private static func open(_ path: String) throws -> (descriptor: Int32, byteCount: Int) {
        do {
            return try RegularFile.open(path)
        } catch let error as FileError {
            throw error.code == ENOENT
                ? PackError.notFound(path: path) : PackError.unreadable(path: path, reason: error.reason)
        }
    }

    deinit {
        if let start = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: start), bytes.count) }
    }

    /// A range of the file; the caller has checked it against `bytes.count`.
    subscript(_ range: Range<Int>) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[range]) }

    /// Asks for the range to be read ahead.
    func prefetch(_ range: Range<Int>) { advise(range, MADV_WILLNEED) }

    /// Takes the range's pages out of this process' memory; they come back when read again.
    func release(_ range: Range<Int>) { advise(range, MADV_DONTNEED) }

    private func advise(_ range: Range<Int>, _ advice: Int32) {
        guard let start = bytes.baseAddress, !range.isEmpty else { return }
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let first = range.lowerBound / page * page
        // Only advice: a failure changes nothing.
        _ = madvise(UnsafeMutableRawPointer(mutating: start + first), range.upperBound - first, advice)
    }
}

/// Texts of system errors.
enum SystemError {
    static func text(_ code: Int32) -> String { String(cString: strerror(code)) }
}
