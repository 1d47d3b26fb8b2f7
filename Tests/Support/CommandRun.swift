import Foundation

/// One of our commands, run as a user would.
package struct CommandRun {
    package let status: Int32
    package let output: String
    package let errors: String

    /// Runs the command that was built beside the tests.
    /// - Parameters:
    ///   - environment: beside which there is nothing but that the CPU is to be used.
    ///   - script: of bash, which sees the command as `$command` and its arguments as `$@`.
    package init(
        _ command: String, _ arguments: [String], environment: [String: String] = ["AUDIOLDM2_DEVICE": "cpu"],
        script: String = #"exec "$command" "$@""#
    ) throws {
        let folder = try TemporaryFolder()
        let products = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = ["-c", script, "bash"] + arguments
        process.environment = environment.merging(Self.inherited) { $1 }
            .merging(["command": products.appendingPathComponent(command).path]) { $1 }
        for file in ["stdout", "stderr"] { try folder.write("", to: file) }
        process.standardOutput = FileHandle(forWritingAtPath: folder.file("stdout"))
        process.standardError = FileHandle(forWritingAtPath: folder.file("stderr"))
        try process.run()
        process.waitUntilExit()
        status = process.terminationStatus
        output = try String(contentsOfFile: folder.file("stdout"), encoding: .utf8)
        errors = try String(contentsOfFile: folder.file("stderr"), encoding: .utf8)
    }

    /// What chooses OpenBLAS's kernels, and what sanitizers are told, where it is set: the command works as this process does.
    private static let inherited = [
        "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "ASAN_OPTIONS", "TSAN_OPTIONS",
    ].reduce(into: [String: String]()) {
        if let value = getenv($1) { $0[$1] = String(cString: value) }
    }

    /// True if the command failed after it had said other things, and its last line holds all of `parts`.
    package func failedAtLast(naming parts: String...) -> Bool {
        guard status == 1, output.isEmpty, let last = errors.split(separator: "\n").last else { return false }
        return last.hasPrefix("Error: ") && parts.allSatisfy { last.contains($0) }
    }

    /// True if the command failed with one line that holds all of `parts`.
    package func failed(status expected: Int32 = 1, naming parts: String...) -> Bool {
        status == expected && output.isEmpty && errors.hasPrefix("Error: ")
            && errors.split(separator: "\n").count == 1 && parts.allSatisfy { errors.contains($0) }
    }
}
