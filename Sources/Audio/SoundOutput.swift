import CSndfile
import Files
import Glibc

/// A file that libsndfile writes by calls of ours. It forgets that a write was refused when that happens as it closes a file,
/// where the header gets its last numbers: here it is remembered.
final class SoundOutput {
    private let descriptor: Int32
    private var position = 0
    /// What the system refused first; nil if it took everything.
    private(set) var failure: FileError?

    /// - Parameter descriptor: of an empty file, open for reading and writing; stays open.
    init(_ descriptor: Int32) { self.descriptor = descriptor }

    private var length: Int {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
    }

    private func seek(_ offset: Int, _ whence: Int32) -> Int {
        switch whence {
        case SEEK_SET: position = offset
        case SEEK_CUR: position += offset
        default: position = length + offset
        }
        return position
    }

    private func write(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard failure == nil else { return 0 }
        do {
            try Transfer.write(bytes, to: descriptor, at: position)
        } catch {
            failure = error as? FileError
            return 0
        }
        position += bytes.count
        return bytes.count
    }

    private func read(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count = (try? Transfer.read(into: buffer, from: descriptor, at: position)) ?? 0
        position += count
        return count
    }

    /// For libsndfile, which is given the object with each call.
    static var calls: SF_VIRTUAL_IO {
        SF_VIRTUAL_IO(
            get_filelen: { sf_count_t(SoundOutput.object($0)?.length ?? 0) },
            seek: { sf_count_t(SoundOutput.object($2)?.seek(Int($0), $1) ?? -1) },
            read: { bytes, count, user in
                let buffer = UnsafeMutableRawBufferPointer(start: bytes, count: Int(count))
                return sf_count_t(SoundOutput.object(user)?.read(buffer) ?? 0)
            },
            write: { bytes, count, user in
                let buffer = UnsafeRawBufferPointer(start: bytes, count: Int(count))
                return sf_count_t(SoundOutput.object(user)?.write(buffer) ?? 0)
            },
            tell: { sf_count_t(SoundOutput.object($0)?.position ?? 0) })
    }

    private static func object(_ user: UnsafeMutableRawPointer?) -> SoundOutput? {
        user.map { Unmanaged<SoundOutput>.fromOpaque($0).takeUnretainedValue() }
    }
}
