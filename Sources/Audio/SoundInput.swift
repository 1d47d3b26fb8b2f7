import CSndfile
import Files
import Glibc

/// A file that libsndfile reads by calls of ours. Of one that somebody cuts meanwhile it asks for the same bytes for ever: here
/// it gets zeros up to the length that the file had, and what happened is remembered.
final class SoundInput {
    private let descriptor: Int32
    private let length: Int
    private var position = 0
    /// Why not everything could be read; nil if it could.
    private(set) var failure: String?

    /// - Parameter descriptor: of a file, which is read from its start; stays open.
    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        var status = stat()
        length = fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
    }

    private func seek(_ offset: Int, _ whence: Int32) -> Int {
        switch whence {
        case SEEK_SET: position = offset
        case SEEK_CUR: position += offset
        default: position = length + offset
        }
        return position
    }

    private func read(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard position >= 0, position < length else { return 0 }
        let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(buffer.count, length - position)])
        var count = 0
        do {
            count = try Transfer.read(into: part, from: descriptor, at: position)
            if count < part.count { failure = failure ?? "it was cut short while it was read" }
        } catch let error as FileError {
            failure = failure ?? systemReason(error.code, reading: true)
        } catch {}
        for index in count..<part.count { part[index] = 0 }
        position += part.count
        return part.count
    }

    /// For libsndfile, which is given the object with each call.
    static var calls: SF_VIRTUAL_IO {
        SF_VIRTUAL_IO(
            get_filelen: { sf_count_t(SoundInput.object($0)?.length ?? 0) },
            seek: { sf_count_t(SoundInput.object($2)?.seek(Int($0), $1) ?? -1) },
            read: { bytes, count, user in
                let buffer = UnsafeMutableRawBufferPointer(start: bytes, count: Int(count))
                return sf_count_t(SoundInput.object(user)?.read(buffer) ?? 0)
            },
            write: { _, _, _ in 0 },
            tell: { sf_count_t(SoundInput.object($0)?.position ?? 0) })
    }

    private static func object(_ user: UnsafeMutableRawPointer?) -> SoundInput? {
        user.map { Unmanaged<SoundInput>.fromOpaque($0).takeUnretainedValue() }
    }
}
