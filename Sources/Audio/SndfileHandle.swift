import CSndfile
import FoundationEssentials
import Glibc

/// libsndfile's handle for a file that is open already.
final class SndfileHandle {
    /// Frames to hand over at a time: libsndfile encodes Vorbis on a stack that grows with what it is given.
    static let block = 4096

    let pointer: OpaquePointer
    let info: SF_INFO

    /// What is read or written, which must outlive the pointer.
    private let transport: SoundTransport

    private init?(_ transport: SoundTransport, mode: Int, info: SF_INFO) {
        var info = info
        var calls = SoundTransport.calls
        let user = Unmanaged.passUnretained(transport).toOpaque()
        guard let pointer = sf_open_virtual(&calls, Int32(mode), &info, user) else { return nil }
        (self.pointer, self.info, self.transport) = (pointer, info, transport)
    }

    /// Reads a file. `input` says whether the system gave all that was asked for.
    /// - Returns: nil if libsndfile refuses; `openError` says why.
    convenience init?(reading input: SoundInput) { self.init(input, mode: SFM_READ, info: SF_INFO()) }

    /// Writes a file. When the handle is gone, `output` says whether the system took all of it.
    /// - Returns: nil if libsndfile refuses; `openError` says why.
    convenience init?(writing output: SoundOutput, as info: SF_INFO) { self.init(output, mode: SFM_WRITE, info: info) }

    deinit { sf_close(pointer) }

    /// Why the last call failed, or nil if it did not.
    var error: String? {
        let code = Int(sf_error(pointer))
        guard code != SF_ERR_NO_ERROR else { return nil }
        // Some decoders report −1, for which libsndfile has no text but a line on the standard output.
        return code < 0 ? "it cannot be decoded" : String(cString: sf_strerror(pointer))
    }

    static var openError: String {
        let code = errno
        guard Int(sf_error(nil)) == SF_ERR_NO_ERROR else { return String(cString: sf_strerror(nil)) }
        return String(cString: strerror(code))
    }
}
