import FoundationEssentials
import WeightFile

/// `vocabulary.json` of a checkpoint: what `Weights/training/vocabulary.py` writes.
struct VocabularyFile: Decodable {
    struct Class: Decodable {
        let name: String
        let phrase: String
        /// Words that no caption has and that mean something near to this class, uninflected.
        let near: [String]
    }

    struct Speech: Decodable {
        /// After which a caption has what somebody says.
        let verbs: [String]
        /// Of what is said.
        let words: [String]
    }

    let classes: [Class]
    /// Of captions; also pairs of words that mean what their second word alone does not.
    let words: [String]
    /// Words that say how something sounds, or nothing of sounds.
    let qualities: [String]
    let speech: Speech
}

/// Why a list of words cannot be used.
package struct VocabularyError: Error, CustomStringConvertible, Equatable {
    package let description: String
}

extension PromptVocabulary {
    /// In a checkpoint's folder.
    package static let fileName = "vocabulary.json"
    /// In bytes.
    package static let longestFile = 1 << 20

    /// - Parameter json: as `vocabulary.json` has it.
    /// - Throws: `VocabularyError`, which names the field.
    package init(decoding json: Data) throws {
        guard json.count <= Self.longestFile else {
            throw VocabularyError(description: "\(json.count) bytes are too many: at most \(Self.longestFile)")
        }
        do {
            let file: VocabularyFile = try decodeConfig(json, component: PartName.vocabulary)
            try file.validate()
            self.init(file)
        } catch ConfigError.malformed(_, let reason) {
            throw VocabularyError(description: reason)
        }
    }
}

extension VocabularyFile {
    private static let longestText = 80

    /// - Throws: `VocabularyError` for what could not be shown or matched.
    fileprivate func validate() throws {
        guard !classes.isEmpty else { throw VocabularyError(description: "'classes' is empty") }
        guard Set(classes.map(\.name)).count == classes.count else {
            throw VocabularyError(description: "two of 'classes' have the same name")
        }
        let texts =
            [
                ("classes.name", classes.map(\.name)), ("classes.phrase", classes.map(\.phrase)), ("words", words),
                ("qualities", qualities), ("speech.verbs", speech.verbs), ("speech.words", speech.words),
            ] + classes.map { ("classes.near", $0.near) }
        for (field, texts) in texts {
            guard let text = texts.first(where: { !Self.isPlain($0) }) else { continue }
            throw VocabularyError(
                description:
                    "'\(field)' has a text that is empty, longer than \(Self.longestText) characters or not plain: "
                    + text.quoted)
        }
    }

    /// Whether a text can be shown on a terminal as it is.
    private static func isPlain(_ text: String) -> Bool {
        (1...longestText).contains(text.unicodeScalars.count) && text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
    }
}

extension Pack {
    /// What the training's captions had; nil if the file does not say.
    /// - Throws: `PackError`, also for a list that cannot be used.
    func vocabulary() throws -> PromptVocabulary? {
        guard let blob = blobs.first(where: { $0.name == PartName.vocabulary }) else { return nil }
        do {
            // Before memory is taken for it.
            guard blob.byteCount <= PromptVocabulary.longestFile else {
                throw VocabularyError(description: "\(blob.byteCount) bytes are too many")
            }
            return try PromptVocabulary(decoding: self.blob(PartName.vocabulary))
        } catch let error as VocabularyError {
            throw PackError.malformed(path: path, field: PartName.vocabulary, reason: error.description)
        }
    }
}
