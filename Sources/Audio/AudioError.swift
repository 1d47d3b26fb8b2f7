import Glibc

/// What can go wrong with a sound file.
package enum AudioError: Error, CustomStringConvertible, Sendable, Equatable {
    case unknownExtension(path: String)
    /// The format cannot hold this encoding, rate or number of channels.
    case unsupported(path: String, reason: String)
    case invalidSamples(reason: String)
    case cannotWrite(path: String, reason: String)
    case cannotRead(path: String, reason: String)
    case damaged(path: String, reason: String)
    case tooLong(path: String, maximumSamples: Int)
    case longerThan(path: String, seconds: Double)

    package var description: String {
        switch self {
        case .unknownExtension(let path):
            "\(path): unknown extension; name the file \(SoundContainer.list)"
        case .unsupported(let path, let reason):
            "\(path): \(reason)"
        case .invalidSamples(let reason):
            "these samples cannot be written: \(reason)"
        case .cannotWrite(let path, let reason):
            "\(path): cannot be written: \(reason)"
        case .cannotRead(let path, let reason):
            "\(path): cannot be read: \(reason)"
        case .damaged(let path, let reason):
            "\(path): damaged sound file: \(reason)"
        case .tooLong(let path, let maximumSamples):
            "\(path): longer than \(maximumSamples) samples; cut it first"
        case .longerThan(let path, let seconds):
            "\(path): longer than \(seconds) seconds; cut it first"
        }
    }
}

/// What the system says about an `errno`, and what to do where that is known.
func systemReason(_ code: Int32, reading: Bool = false) -> String {
    let message = String(cString: strerror(code)).lowercased()
    switch code {
    case EBADF: return "it is closed"
    case ENOSPC, EDQUOT: return "\(message); free some space or choose another folder"
    case ENOENT where reading: return "\(message); correct the path"
    case EACCES where reading: return "\(message); choose a file that you may read"
    case EACCES, EPERM, EROFS: return "\(message); choose a folder that you may write to"
    case ENOENT: return "\(message); create the folder first, or correct the path"
    default: return message
    }
}
