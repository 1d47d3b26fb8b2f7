import Checkpoints
import Files
import FoundationEssentials
import Text

/// Under which terms the weights may be used, as far as the checkpoint says.
package struct LicenseText: Sendable, Equatable {
    /// A short name: a file's, or the identifier of a model card.
    package let name: String
    /// The full text, if there is a file of it.
    package let text: String?

    /// Larger than any licence.
    private static let limit = 1 << 20
    private static let fileNames = ["LICENSE", "LICENSE.txt", "LICENSE.md", "LICENCE"]

    /// The licence in a file that the user names.
    /// - Throws: `CheckpointError` if it cannot be read or is no text.
    package init(path: String) throws {
        let bytes = try InputFile.contents(path: path, name: path, limit: Self.limit)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw CheckpointError.malformed(file: path, reason: "is not UTF-8 text")
        }
        name = URL(fileURLWithPath: path).lastPathComponent
        self.text = text
    }

    private init(name: String) {
        self.name = name
        text = nil
    }

    /// The licence file of a checkpoint folder, else what its model card (`README.md`) names; nil if neither is there.
    package static func find(in folder: DiffusersFolder) throws -> LicenseText? {
        for name in fileNames where FileName.exists("\(folder.path)/\(name)") {
            return try LicenseText(path: "\(folder.path)/\(name)")
        }
        guard let card = try? folder.contents(of: "README.md") else { return nil }
        return cardLicense(String(decoding: card, as: UTF8.self)).map(LicenseText.init(name:))
    }

    /// The value of `license:` (or, for licences without an identifier, `license_name:`) between the `---` lines at the
    /// start of a model card.
    private static func cardLicense(_ card: String) -> String? {
        let lines = card.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
            .map { $0.trimmed }
        guard lines.first == "---", let end = lines.dropFirst().firstIndex(of: "---") else { return nil }
        func value(_ key: String) -> String? {
            lines[1..<end].first { $0.hasPrefix(key + ":") }
                .map { $0.dropFirst(key.count + 1).trimmed { " \"'".contains($0) } }
                .flatMap { $0.isEmpty ? nil : $0 }
        }
        return value("license_name") ?? value("license")
    }
}
