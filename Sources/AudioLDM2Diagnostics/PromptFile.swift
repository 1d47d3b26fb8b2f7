import AudioLDM2
import Checkpoints
import Text

/// Prompts in a text file, one a line.
package enum PromptFile {
    /// - Parameter most: how many there may be.
    /// - Throws: `CheckpointError` for a file that cannot be read, `AudioLDM2Error` for one that holds none or more.
    package static func prompts(at path: String, most: Int) throws -> [String] {
        let bytes = try InputFile.contents(path: path, name: path, limit: 1 << 20)
        let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
            .map { $0.trimmed }.filter { !$0.isEmpty }
        guard 1...most ~= lines.count else {
            throw AudioLDM2Error(
                .invalidOption, "\(path): holds \(lines.count) prompts; give 1 to \(most), one a line")
        }
        return lines
    }
}
