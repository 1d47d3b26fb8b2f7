import Foundation
import Testing
import Tokenizers

/// What counts when folders hold different files.
@Suite struct FileFormTests {
    /// A row of `variants.json`.
    struct Variant: Decodable, CustomTestStringConvertible {
        let name: String
        let tokenizer: String
        let taken: [String]
        let written: [String: String]
        let maxLength: Int?
        let padID: Int
        let texts: [String]
        let ids: [[Int]]

        var testDescription: String { "\(tokenizer): \(name)" }
    }

    static let variants = (try? Fixtures.rows("variants.json") as [Variant]) ?? []

    @Test func thereAreVariants() { #expect(Self.variants.count == 16) }

    @Test(arguments: variants) func idsEqualTheReference(variant: Variant) throws {
        let folder = try TemporaryFolder(copying: variant.taken, from: variant.tokenizer)
        for (name, content) in variant.written { try folder.write(content, to: name) }
        let definition = try TokenizerReader.read(folder: folder.url, kind: Fixtures.kind(variant.tokenizer))
        #expect(definition.maxLength == variant.maxLength)
        #expect(definition.padID == variant.padID)
        let tokenizer = try makeTokenizer(definition)
        for (text, ids) in zip(variant.texts, variant.ids) { #expect(tokenizer.encode(text).ids == ids, "\(text)") }
    }

    @Test(arguments: [
        ("roberta", "tokenizer.json", "vocab.json", "merges.txt"), ("t5", "tokenizer.json", "spiece.model", nil),
    ])
    func bothFormsGiveOneDefinition(name: String, whole: String, first: String, second: String?) throws {
        let kind = Fixtures.kind(name)
        let new = try TemporaryFolder(copying: [whole, "tokenizer_config.json"], from: name)
        let old = try TemporaryFolder(copying: [first, second, "tokenizer_config.json"].compactMap { $0 }, from: name)
        let newDefinition = try TokenizerReader.read(folder: new.url, kind: kind)
        var oldDefinition = try TokenizerReader.read(folder: old.url, kind: kind)
        // The order of added tokens without flags is that of the files and has no effect.
        #expect(Set(newDefinition.addedTokens) == Set(oldDefinition.addedTokens))
        oldDefinition.addedTokens = newDefinition.addedTokens
        #expect(newDefinition == oldDefinition)
    }

    @Test func tokenizerJSONIsPreferred() throws {
        let folder = try TemporaryFolder(copying: ["tokenizer.json"], from: "roberta")
        try folder.write("not JSON", to: "vocab.json")
        _ = try TokenizerReader.read(folder: folder.url, kind: .roberta)
    }

    /// "é" composed and decomposed are equal strings to Swift, but two tokens.
    @Test func canonicallyEquivalentPiecesStayApart() throws {
        let folder = try TemporaryFolder()
        try folder.write(
            """
            {"added_tokens": [], "model": {"type": "Unigram", "vocab": [["<pad>", 0], ["</s>", 0], ["<unk>", 0],
            ["\u{2581}", -1], ["\u{E9}", -2], ["e\\u0301", -3.5e0], ["e", -4]]}}
            """, to: "tokenizer.json")
        let tokenizer = try makeTokenizer(try TokenizerReader.read(folder: folder.url, kind: .t5))
        #expect(tokenizer.encode("\u{E9}").ids == [3, 4, 1])
        #expect(tokenizer.encode("e\u{301}").ids == [3, 5, 1])
        #expect(tokenizer.encode("e\u{300}").ids == [3, 6, 2, 1])
    }

    @Test func canonicallyEquivalentKeysStayApart() throws {
        let folder = try TemporaryFolder(copying: ["merges.txt", "vocab.json"], from: "probe")
        let vocabulary = String(decoding: try Fixtures.bytes("probe/vocab.json"), as: UTF8.self)
        // U+212B ANGSTROM SIGN is canonically "Å", the byte 0xC5.
        try folder.write(String(vocabulary.dropLast()) + ", \"\u{212B}\": 2000, \"A\u{30A}\": 2001}", to: "vocab.json")
        let tokenizer = try makeTokenizer(try TokenizerReader.read(folder: folder.url, kind: .roberta))
        let probe = try Fixtures.tokenizer("probe")
        #expect(tokenizer.encode("\u{C5}\u{153}").ids == probe.encode("\u{C5}\u{153}").ids)
        #expect(tokenizer.definition.vocabulary[2000].elementsEqual("\u{212B}".utf8))
    }

    @Test func classNames() {
        #expect(TokenizerKind(className: "RobertaTokenizerFast") == .roberta)
        #expect(TokenizerKind(className: "T5Tokenizer") == .t5)
        #expect(TokenizerKind(className: "VitsTokenizer") == .vits)
        #expect(TokenizerKind(className: "BertTokenizer") == nil)
    }

    /// The authors' symbols are those of the folders that others made of their models.
    @Test func phonemesNeedNoFiles() throws {
        let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Fixtures/Checkpoints/tiny-tts/tokenizer_2")
        let read = try TokenizerReader.read(folder: url, kind: .vits)
        #expect(read == .vitsSymbols && read.vocabulary.count == 183)
        let folder = try TemporaryFolder()
        #expect(throws: TokenizerError.self) { _ = try TokenizerReader.read(folder: folder.url, kind: .vits) }
        try folder.write(#"{"tokenizer_class": "VitsTokenizer", "model_max_length": 200}"#, to: "tokenizer_config.json")
        let built = try TokenizerReader.read(folder: folder.url, kind: .vits)
        #expect(built.vocabulary == read.vocabulary && built.maxLength == 200)
    }
}
