import Checkpoints
import Foundation

/// What the authors' files do not say about themselves: read from the model's name, or from a training configuration.
package struct AuthorsSettings: Sendable, Equatable {
    /// Channels of an attention head of the UNet.
    package var headWidth = 32
    /// Of the waveform, in Hz; nil for what the vocoder's hop makes of frames of 10 ms.
    package var samplingRate: Int?
    /// Vectors of the language of audio; nil for what the kind of model has.
    package var languageLength: Int?
    package var betaStart = 0.0015
    package var betaEnd = 0.0195

    package init() {}

    /// - Parameter modelName: as the authors call it, such as `audioldm2-full` or `audioldm-l-full.ckpt`.
    package init(modelName: String) {
        // Only the large model of AudioLDM 1 has wider heads.
        if modelName.hasPrefix("audioldm-l-") || modelName.hasPrefix("audioldm-full-l") { headWidth = 64 }
    }

    /// Reads a training configuration over the settings of a name.
    /// - Throws: `CheckpointError` if the file cannot be read, or a value in it is no number where one belongs.
    package mutating func read(configuration path: String) throws {
        let file = URL(fileURLWithPath: path).lastPathComponent
        let bytes = try InputFile.contents(path: path, name: file, limit: 1 << 20)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw CheckpointError.malformed(file: file, reason: "is not UTF-8 text")
        }
        let values = OutlineValues(text)
        func number<Number: LosslessStringConvertible & Comparable>(
            _ keys: [String], in range: ClosedRange<Number>
        ) throws -> Number? {
            for key in keys {
                guard let text = values.last(under: key) else { continue }
                guard let value = Number(text), range.contains(value) else {
                    throw CheckpointError.invalidField(
                        file: file, field: key, reason: "is \(text.quoted), not a number in \(range)")
                }
                return value
            }
            return nil
        }
        headWidth = try number(["unet_config.params.num_head_channels"], in: 1...4096) ?? headWidth
        samplingRate =
            try number(["preprocessing.audio.sampling_rate", "variables.sampling_rate"], in: 1000...768_000)
            ?? samplingRate
        languageLength = try number(["params.sequence_gen_length"], in: 1...1024) ?? languageLength
        betaStart = try number(["model.params.linear_start"], in: 1e-9...1) ?? betaStart
        betaEnd = try number(["model.params.linear_end"], in: 1e-9...1) ?? betaEnd
    }
}

/// The `key: value` lines of a YAML text by the path of keys that their indentation gives. Lists and the rest are passed
/// over, since no setting is in one.
struct OutlineValues {
    private var values: [(path: String, value: String)] = []

    init(_ text: String) {
        var open: [(indent: Int, key: String)] = []
        for line in text.split(whereSeparator: \.isNewline) {
            let indent = line.prefix { $0 == " " }.count
            let content = line.dropFirst(indent).prefix { $0 != "#" }
            guard let colon = content.firstIndex(of: ":"), content.first != "-" else { continue }
            open.removeAll { $0.indent >= indent }
            let key = Self.plain(content[..<colon])
            open.append((indent, key))
            let value = Self.plain(content[content.index(after: colon)...])
            if !value.isEmpty { values.append((open.map(\.key).joined(separator: "."), value)) }
        }
    }

    private static func plain(_ text: Substring) -> String {
        let quotes = CharacterSet(charactersIn: "\"'")
        return text.trimmingCharacters(in: .whitespaces).trimmingCharacters(in: quotes)
    }

    /// The value whose path ends so; a reference to another variable (`${…}`) is followed.
    func last(under path: String) -> String? {
        guard let value = values.last(where: { $0.path == path || $0.path.hasSuffix("." + path) })?.value else {
            return nil
        }
        guard value.hasPrefix("${"), value.hasSuffix("}") else { return value }
        let reference = String(value.dropFirst(2).dropLast())
        return values.last { $0.path == reference && !$0.value.hasPrefix("$") }?.value
    }
}
