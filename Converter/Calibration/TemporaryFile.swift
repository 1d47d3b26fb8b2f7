import AudioLDM2
import Files
import FoundationEssentials
import Glibc

/// A name for a file that goes when this does.
final class TemporaryFile {
    let path: String

    /// - Throws: `AudioLDM2Error` if no folder can be made for it.
    init(suffix: String) throws {
        let place = FileManager.default.temporaryDirectory.path
        // Made anew, and for nobody else to look into.
        var name = Array((place + "/audioldm2-XXXXXX").utf8CString)
        guard let folder = mkdtemp(&name) else {
            let reason = String(cString: strerror(errno))
            throw AudioLDM2Error(
                .invalidOption,
                "\(place): cannot make a folder for temporary files: \(reason); name another with the variable TMPDIR")
        }
        path = String(cString: folder) + "/outline" + suffix
    }

    /// By their names: a folder that cannot be listed now can still be removed.
    deinit {
        unlink(path)
        rmdir(FileName.folder(of: path))
    }
}
