import AudioLDM2
import FoundationEssentials

/// A line's JSON object: settings of a sound, and what belongs to a batch.
package struct BatchFields: Decodable, Sendable {
    package let settings: SoundSettings
    package let prompt: String?
    /// Another name of `negative_prompt`.
    package let negative: String?
    package let output: String?
    package let audioPrompt: String?
    package let condition: String?
    package let candidates: Int?

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case prompt, negative, output, condition, candidates
        case audioPrompt = "audio_prompt"
    }

    /// - Throws: `AudioLDM2Error` that says which field is wrong.
    package init(_ line: BatchFile.Line) throws {
        do {
            self = try JSONDecoder().decode(BatchFields.self, from: Data(line.text.utf8))
        } catch let error as DecodingError {
            throw AudioLDM2Error(.invalidOption, error.sentence)
        }
    }

    package init(from decoder: any Decoder) throws {
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
