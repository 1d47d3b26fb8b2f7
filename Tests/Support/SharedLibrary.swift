import Foundation

/// A library of a few lines of C that stands before the system's in a command: `LD_PRELOAD`.
package struct SharedLibrary {
    package let path: String

    /// Compiles with the clang that comes with Swift, which finds itself by this process' own `PATH`.
    /// - Throws: an error with what the compiler says.
    package init(_ source: String, in folder: TemporaryFolder) throws {
        path = folder.file("shim.so")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "clang", "-shared", "-fPIC", "-o", path, try folder.write(Array(source.utf8), to: "shim.c"),
        ]
        let messages = Pipe()
        process.standardError = messages
        try process.run()
        let said = messages.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Refusal(description: String(decoding: said, as: UTF8.self)) }
    }

    private struct Refusal: Error, CustomStringConvertible {
        let description: String
    }
}
