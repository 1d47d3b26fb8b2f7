import CMappings
import Files
import Glibc

/// A regular file mapped for reading, as long as the object lives.
///
/// Like every mapped file it must not change while it is in use; replacing it by a rename is fine. `stamp` tells whether it
/// did, and `cmappings_end_with_message` what to do when it shrinks.
final class MappedFile: @unchecked Sendable {
    // Unchecked: the pointer never changes and nobody writes through it.
    let bytes: UnsafeRawBufferPointer
    private let descriptor: Int32
    private let slot: Int32

    /// - Throws: `PackError`: `notFound`, `unreadable`.
    init(path: String) throws {
        let (descriptor, count) = try Self.open(path)
        self.descriptor = descriptor
        guard count > 0 else {
            (bytes, slot) = (UnsafeRawBufferPointer(start: nil, count: 0), -1)
            return
        }
        guard let start = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
            let code = errno
            close(descriptor)
            throw PackError.unreadable(path: path, reason: SystemError.text(code))
        }
        bytes = UnsafeRawBufferPointer(start: start, count: count)
        slot = (try? FileName.with(path) { cmappings_enter(start, count, $0) }) ?? -1
    }

    private static func open(_ path: String) throws -> (descriptor: Int32, byteCount: Int) {
        do {
            return try RegularFile.open(path)
        } catch let error as FileError {
            throw error.code == ENOENT
                ? PackError.notFound(path: path) : PackError.unreadable(path: path, reason: error.reason)
        }
    }

    /// As the file is now; nil if the system does not say.
    var stamp: FileStamp? {
        func nanoseconds(_ time: timespec) -> Int { time.tv_sec &* 1_000_000_000 &+ time.tv_nsec }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        return FileStamp(
            byteCount: Int(status.st_size), contents: nanoseconds(status.st_mtim),
            anything: nanoseconds(status.st_ctim))
    }

    deinit {
        cmappings_leave(slot)
        close(descriptor)
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

/// What changes with a file's contents.
package struct FileStamp: Sendable, Equatable {
    let byteCount: Int
    /// In nanoseconds since 1970: of the contents, which programs can set, and of anything, which they cannot.
    let contents, anything: Int
}

/// Texts of system errors.
enum SystemError {
    static func text(_ code: Int32) -> String { String(cString: strerror(code)) }
}
