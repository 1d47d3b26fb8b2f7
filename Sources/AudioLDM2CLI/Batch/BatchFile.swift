import AudioLDM2
import Files
import FoundationEssentials

/// The lines of a file of prompts.
enum BatchFile {
    struct Line: Sendable {
        /// From 1, empty lines counted.
        let number: Int
        let text: String
    }

    /// - Parameter path: "-" is the standard input.
    /// - Throws: `AudioLDM2Error` for a file that cannot be read or is not UTF-8.
    static func lines(of path: String) throws -> [Line] {
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

    static func unreadable(_ path: String) -> AudioLDM2Error {
        AudioLDM2Error(.file, "\(path): cannot be read; give a file with a JSON object per line")
    }

    /// - Returns: nil for an empty line.
    /// - Throws: `AudioLDM2Error` for what is not UTF-8.
    static func line(_ number: Int, _ bytes: [UInt8], of path: String) throws -> Line? {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw AudioLDM2Error(.file, "\(path): is not UTF-8 text; give a file with a JSON object per line")
        }
        return text.contains(where: { !$0.isWhitespace }) ? Line(number: number, text: text) : nil
    }
}

/// What a line asks for.
struct BatchLine {
    let prompt: String
    /// With a seed.
    let options: SoundOptions
    /// Sounds to make, of which the best is kept.
    let candidates: Int
    /// A file's name.
    let output: String

    /// - Parameters:
    ///   - defaults: what was said for all lines.
    ///   - conditions: finds what lines refer to.
    /// - Throws: `AudioLDM2Error` that says which field is wrong.
    init(
        _ line: BatchFile.Line, defaults: SoundSettings, memoryLimit: Int?, seed: UInt64, format: String,
        conditions: BatchConditions
    ) async throws {
        let fields: BatchFields
        do {
            fields = try JSONDecoder().decode(BatchFields.self, from: Data(line.text.utf8))
        } catch let error as DecodingError {
            throw AudioLDM2Error(.invalidOption, error.sentence)
        }
        prompt = fields.prompt ?? ""
        candidates = fields.candidates ?? 1
        var settings = fields.settings.over(defaults)
        settings.negativePrompt = fields.negative ?? settings.negativePrompt
        settings.seed = settings.seed ?? seed
        var options = try settings.options(profile: conditions.profile)
        options.memoryLimit = memoryLimit
        options.condition = try await conditions.condition(
            audioPrompt: fields.audioPrompt, saved: fields.condition, prompt: prompt)
        guard options.condition != nil || prompt.contains(where: { !$0.isWhitespace }) else {
            throw AudioLDM2Error(.invalidOption, "\"prompt\" is missing or empty: say what the sound should be")
        }
        guard (1...64).contains(candidates), candidates == 1 || !prompt.isEmpty else {
            throw AudioLDM2Error(
                .invalidOption, "\"candidates\" is \(candidates): choose 1 to 64, and say by a prompt which is best")
        }
        self.options = options
        output = fields.output ?? Self.name(line.number, prompt: prompt) + "." + format
        guard !output.utf8.contains(UInt8(ascii: "/")),
            AudioClip.fileExtensions.contains(where: { output.lowercased().hasSuffix(".\($0)") })
        else {
            throw AudioLDM2Error(
                .invalidOption,
                "\"output\" is \"\(output)\"; give a name without a folder that ends in ."
                    + AudioClip.fileExtensions.joined(separator: ", ."))
        }
    }

    /// The line's number and the prompt's first words.
    private static func name(_ number: Int, prompt: String) -> String {
        let words = prompt.lowercased().split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }
        var name = String(number)
        name = String(repeating: "0", count: max(0, 5 - name.count)) + name
        for word in words where name.count + word.count < 48 { name += "-" + word }
        return name
    }
}

/// A line's JSON object: settings of a sound, and what belongs to a batch.
private struct BatchFields: Decodable {
    let settings: SoundSettings
    let prompt: String?
    /// Another name of `negative_prompt`.
    let negative: String?
    let output: String?
    let audioPrompt: String?
    let condition: String?
    let candidates: Int?

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case prompt, negative, output, condition, candidates
        case audioPrompt = "audio_prompt"
    }

    init(from decoder: any Decoder) throws {
        settings = try SoundSettings(from: decoder, besides: CodingKeys.allCases.map(\.rawValue))
        let container = try decoder.container(keyedBy: CodingKeys.self)
        prompt = try container.valueIfPresent(for: .prompt)
        negative = try container.valueIfPresent(for: .negative)
        output = try container.valueIfPresent(for: .output)
        audioPrompt = try container.valueIfPresent(for: .audioPrompt)
        condition = try container.valueIfPresent(for: .condition)
        candidates = try container.valueIfPresent(for: .candidates)
    }
}
