import Glibc

/// What was refused as a file was written.
package struct FileError: Error, Sendable, Equatable {
    /// What could not be done with the file: "write", "be replaced".
    package let operation: String
    package let reason: String
    /// `errno`; 0 if it was not the system that refused.
    package let code: Int32
    /// Place in the file, in bytes.
    package let offset: Int

    init(_ operation: String, reason: String) {
        (self.operation, self.reason, code, offset) = (operation, reason, 0, 0)
    }

    init(_ operation: String, code: Int32, offset: Int = 0) {
        (self.operation, self.code, self.offset) = (operation, code, offset)
        let isCrowded = code == EMFILE || code == ENFILE
        reason = String(cString: strerror(code)) + (isCrowded ? "; allow more at a time (ulimit -n)" : "")
    }

    package var isDiskFull: Bool { code == ENOSPC || code == EDQUOT }
}
