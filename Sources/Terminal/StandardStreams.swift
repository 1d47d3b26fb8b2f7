import ArgumentParser
import Files
import FoundationEssentials
@preconcurrency import Glibc
import Synchronization
import Text

/// Gives the numbers of standard streams that are closed to something that takes and gives nothing. Else the next file that
/// is opened, a sound or a model, would get the number, and messages would be written into it.
func openStandardStreams() {
    for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(descriptor, F_GETFD) < 0 {
        // The lowest number that is free. Whoever reads or writes it the wrong way is told that the descriptor is bad.
        _ = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
    }
}

/// Prints a line on standard error. One that cannot be printed (a closed stream, a full disk) is lost, and nothing else.
package func printNote(_ text: String) { writeError(text + "\n") }

func writeError(_ text: String) {
    FileName.bytes(text).withUnsafeBufferPointer { bytes in
        var written = 0
        while written < bytes.count {
            let count = write(STDERR_FILENO, bytes.baseAddress.map { $0 + written }, bytes.count - written)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            written += count
        }
    }
}

/// Prints a line on standard output: names of files as they are, where Swift's function would write their characters.
package func print(_ text: String, terminator: String = "\n") {
    let bytes = FileName.bytes(text + terminator)
    // What fills the buffer is refused here already, and the system tells why once.
    guard fwrite(bytes, 1, bytes.count, stdout) < bytes.count else { return }
    let code = errno
    refusal.withLock { $0 = code }
}

/// Why standard output did not take something, as `errno` has it; 0 if it took all.
private let refusal = Mutex<Int32>(0)

/// Prints on standard error what a user should know and nothing has stopped for.
package func printWarning(_ text: String) { printNote("warning: " + text) }

/// Hands over what was printed.
/// - Throws: `ExitCode.failure`, after saying why, if standard output did not take all of it (closed, a full disk); without a
///   word, and as if SIGPIPE had ended the process, if nobody reads it any more.
package func finishOutput() throws {
    errno = refusal.withLock(\.self)
    guard fflush(stdout) != 0 || ferror(stdout) != 0 else { return }
    guard errno != EPIPE, !readerOfOutputIsGone else { throw ExitCode(128 + SIGPIPE) }
    let reason =
        switch errno {
        case 0: ""
        case EBADF: ": it is closed"
        default: ": \(String(cString: strerror(errno)).lowercased())"
        }
    printNote("Error: standard output: cannot be written" + reason)
    throw ExitCode.failure
}

private var readerOfOutputIsGone: Bool {
    var output = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
    return poll(&output, 1, 0) == 1 && Int32(output.revents) & POLLERR != 0
}

/// A value as JSON for programs: sorted keys, one object.
package func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
        positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return String(decoding: try encoder.encode(value), as: UTF8.self)
}

/// Bytes for people: "12.3 MB".
package func megabytes(_ bytes: Int) -> String { String(printf: "%.1f MB", Double(bytes) / 1e6) }
