import AudioLDM2
import Files

/// The lines of a file of prompts.
package enum BatchFile {
    package struct Line: Sendable {
        /// From 1, empty lines counted.
        package let number: Int
        package let text: String
    }

    /// - Parameter path: "-" is the standard input.
    /// - Throws: `AudioLDM2Error` for a file that cannot be read or is not UTF-8.
    package static func lines(of path: String) throws -> [Line] {
        let bytes: [UInt8]
        do {
            // A pipe that has a name of its own is refused, as it may be waited for for ever.
            bytes =
                try ReadOnce.isNeeded(path)
                ? ReadOnce.contents(of: path) : RegularFile.contents(of: path, limit: .max)
        } catch {
            throw unreadable(path)
        }
        return try BatchLines.split(bytes).enumerated().compactMap { try line($0 + 1, $1, of: path) }
    }

    package static func unreadable(_ path: String) -> AudioLDM2Error {
        AudioLDM2Error(.file, "\(path): cannot be read; give a file with a JSON object per line")
    }

    /// - Returns: nil for an empty line.
    /// - Throws: `AudioLDM2Error` for what is not UTF-8.
    package static func line(_ number: Int, _ bytes: [UInt8], of path: String) throws -> Line? {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw AudioLDM2Error(.file, "\(path): is not UTF-8 text; give a file with a JSON object per line")
        }
        return text.contains(where: { !$0.isWhitespace }) ? Line(number: number, text: text) : nil
    }
}
