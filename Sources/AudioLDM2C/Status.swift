import AudioLDM2
import CAudioLDM2
import Files
import Glibc

/// Does a call's work, and keeps what went wrong for `audioldm2_last_error`.
func status(_ body: () throws -> Void) -> audioldm2_status {
    do {
        try body()
        keep_audioldm2_error("")
        return AUDIOLDM2_OK
    } catch {
        keep_audioldm2_error(words(error))
        return code(error)
    }
}

private func words(_ error: any Error) -> String {
    switch error {
    case is CancellationError: "stopped, as its progress function asked for"
    default: "\(error)"
    }
}

private func code(_ error: any Error) -> audioldm2_status {
    if error is CancellationError { return AUDIOLDM2_STOPPED }
    if error is ArgumentError { return AUDIOLDM2_ERROR_ARGUMENT }
    guard let error = error as? AudioLDM2Error else { return AUDIOLDM2_ERROR_OTHER }
    switch error.kind {
    case .modelFile: return AUDIOLDM2_ERROR_MODEL_FILE
    case .configuration: return AUDIOLDM2_ERROR_CONFIGURATION
    case .invalidOption: return AUDIOLDM2_ERROR_OPTION
    case .file: return AUDIOLDM2_ERROR_FILE
    case .outOfMemory: return AUDIOLDM2_ERROR_MEMORY
    case .device: return AUDIOLDM2_ERROR_DEVICE
    @unknown default: return AUDIOLDM2_ERROR_OTHER
    }
}

/// What a caller gave and must not have.
struct ArgumentError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// - Throws: `ArgumentError` for NULL.
func required<Value>(_ value: Value?, _ name: String) throws -> Value {
    guard let value else { throw ArgumentError("\(name) is NULL") }
    return value
}

/// A text of the caller's; nil for NULL.
/// - Throws: `ArgumentError` for what is not UTF-8.
func text(_ start: UnsafePointer<CChar>?, _ name: String) throws -> String? {
    guard let start else { return nil }
    guard let text = String(validatingCString: start) else { throw ArgumentError("\(name) is not UTF-8") }
    return text
}

/// A file's name of the caller's, which need not be UTF-8; nil for NULL.
func fileName(_ start: UnsafePointer<CChar>?) -> String? {
    start.map { FileName.text(UnsafeRawBufferPointer(start: $0, count: strlen($0))) }
}
