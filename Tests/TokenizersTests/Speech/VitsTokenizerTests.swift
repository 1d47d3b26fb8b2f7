import Foundation
import Testing
import Tokenizers

/// Every combination of `VitsTokenizer`'s options, against transformers: `make_vits_tokenizer_fixtures.py`.
@Suite struct VitsTokenizerTests {
    /// A row of `vits.json`.
    struct Row: Decodable, CustomTestStringConvertible {
        let name: String
        let files: [String: String]
        let texts: [String]
        /// What is looked up: phonemes, where the tokenizer makes them.
        let prepared: [String]
        let ids: [[Int]]
        let padID: Int
        let unknownID: Int?

        var testDescription: String { name }
    }

    static let rows = (try? Fixtures.rows("vits.json") as [Row]) ?? []

    @Test func thereAreAllCombinations() { #expect(Self.rows.count == 67) }

    @Test(arguments: rows) func idsEqualTheReference(row: Row) throws {
        let folder = try TemporaryFolder()
        for (name, content) in row.files { try folder.write(content, to: name) }
        let read = try TokenizerReader.read(folder: folder.url, kind: .vits)
        let definition = try TokenizerDefinition(decoding: read.encoded())
        #expect(definition == read && definition.padID == row.padID)
        guard case .characters(let model) = definition.model else {
            Issue.record("not a character model")
            return
        }
        #expect(model.unknownID == row.unknownID)
        let tokenizer = try #require(try makeTokenizer(definition) as? CharacterTokenizer)
        let espeak = try? Espeak.phonemizer()
        for (index, text) in row.texts.enumerated() {
            let prepared = row.prepared[index]
            if !model.isPhonemized {
                #expect(tokenizer.prepared(text) == prepared, "\(text)")
                #expect(tokenizer.contentIDs(of: text) == row.ids[index], "\(text)")
            } else {
                #expect(tokenizer.contentIDs(of: prepared) == row.ids[index], "\(text)")
                guard let espeak else { continue }
                #expect(try Phonemizer(espeak).phonemes(of: tokenizer.prepared(text)) == prepared, "\(text)")
            }
        }
    }
}
