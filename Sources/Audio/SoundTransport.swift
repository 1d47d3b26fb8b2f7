import CSndfile
import Glibc

/// A file that libsndfile reads or writes by calls of ours, which remember what it forgets.
class SoundTransport {
    let descriptor: Int32
    final var position = 0

    /// - Parameter descriptor: of a file, from its start; stays open.
    init(_ descriptor: Int32) { self.descriptor = descriptor }

    /// Bytes that the file has.
    var length: Int {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
    }

    /// - Returns: how many bytes there are from the position on, which moves.
    func read(_ buffer: UnsafeMutableRawBufferPointer) -> Int { 0 }

    /// - Returns: how many bytes were taken at the position, which moves.
    func write(_ bytes: UnsafeRawBufferPointer) -> Int { 0 }

    private func seek(_ offset: Int, _ whence: Int32) -> Int {
        switch whence {
        case SEEK_SET: position = offset
        case SEEK_CUR: position += offset
        default: position = length + offset
        }
        return position
    }

    /// For libsndfile, which is given the object with each call.
    static var calls: SF_VIRTUAL_IO {
        SF_VIRTUAL_IO(
            get_filelen: { sf_count_t(SoundTransport.object($0)?.length ?? 0) },
            seek: { sf_count_t(SoundTransport.object($2)?.seek(Int($0), $1) ?? -1) },
            read: { bytes, count, user in
                let buffer = UnsafeMutableRawBufferPointer(start: bytes, count: Int(count))
                return sf_count_t(SoundTransport.object(user)?.read(buffer) ?? 0)
            },
            write: { bytes, count, user in
                let buffer = UnsafeRawBufferPointer(start: bytes, count: Int(count))
                return sf_count_t(SoundTransport.object(user)?.write(buffer) ?? 0)
            },
            tell: { sf_count_t(SoundTransport.object($0)?.position ?? 0) })
    }

    private static func object(_ user: UnsafeMutableRawPointer?) -> SoundTransport? {
        user.map { Unmanaged<SoundTransport>.fromOpaque($0).takeUnretainedValue() }
    }
}
