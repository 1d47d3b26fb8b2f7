import AudioLDM2
import FoundationEssentials
import Text

/// Keys of which a request needs one.
struct APIKeys: Sendable {
    private let keys: [[UInt8]]

    /// Characters that a key needs at least: shorter ones can be guessed.
    private static let shortest = 16

    /// - Parameter path: of a file with a key in each line; lines that begin with # are remarks.
    /// - Throws: `AudioLDM2Error` for a file that cannot be read, has no key, or a short one.
    init(contentsOf path: String) throws {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw AudioLDM2Error(.file, "\(path): cannot be read; it should hold a key in each line")
        }
        let lines = text.split(whereSeparator: \.isNewline).map { $0.trimmed }
        let written = lines.filter { !$0.isEmpty && !$0.hasPrefix("#") }
        guard !written.isEmpty, written.allSatisfy({ $0.utf8.count >= Self.shortest }) else {
            throw AudioLDM2Error(
                .file, "\(path): needs a key of at least \(Self.shortest) characters in each line, and at least one")
        }
        guard written.allSatisfy({ $0.utf8.allSatisfy { (33..<127).contains($0) } }) else {
            throw AudioLDM2Error(
                .file, "\(path): a line has a space or another character that no header can hold; a key alone is a line"
            )
        }
        keys = written.map { Array($0.utf8) }
    }

    /// Whether a key is one of these. Takes as long whichever byte differs.
    func contains(_ key: some StringProtocol) -> Bool {
        let given = Array(key.utf8)
        var found = false
        for known in keys {
            var difference = UInt(bitPattern: known.count ^ given.count)
            for index in known.indices {
                difference |= UInt(known[index] ^ (given.isEmpty ? 0 : given[index % given.count]))
            }
            // Not `||`, which would stop at the first.
            found = found != (difference == 0) || found
        }
        return found
    }
}
