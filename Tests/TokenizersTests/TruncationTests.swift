import Testing
import Tokenizers

/// Limits and padding, as transformers does them and diffusers reports them.
@Suite struct TruncationTests {
    /// A row of `truncation.json`.
    struct Row: Decodable {
        let tokenizer: String
        let text: String
        let maxLength: Int
        let pads: Bool
        let ids: [Int]
        let mask: [Int]
        let cut: String?
    }

    @Test func idsMaskAndCutText() throws {
        let tokenizers = ["roberta": try Fixtures.tokenizer("roberta"), "t5": try Fixtures.tokenizer("t5")]
        let rows: [Row] = try Fixtures.rows("truncation.json")
        #expect(rows.count == 80)
        for row in rows {
            let tokenizer = try #require(tokenizers[row.tokenizer])
            let encoding = tokenizer.encode(
                row.text, maxLength: row.maxLength, padding: row.pads ? .maxLength(row.maxLength) : .none)
            #expect(encoding.ids == row.ids)
            #expect(encoding.attentionMask == row.mask)
            #expect(encoding.truncatedText.map { Array($0.utf8) } == row.cut.map { Array($0.utf8) })
        }
    }

    @Test func theDefinitionsLimitHoldsUnlessAnotherIsGiven() throws {
        let tokenizer = try Fixtures.tokenizer("t5")
        let text = String(repeating: "dog ", count: 500)
        #expect(tokenizer.encode(text).ids.count == 128)
        #expect(tokenizer.encode(text, maxLength: 200).ids.count == 200)
        #expect(tokenizer.encode(text).ids.last == 1)
    }

    @Test func theTemplateIsNeverCut() throws {
        let tokenizer = try Fixtures.tokenizer("roberta")
        for limit in 0...2 { #expect(tokenizer.encode("dog", maxLength: limit).ids == [0, 2]) }
        #expect(tokenizer.encode("", maxLength: 2).truncatedText == nil)
    }

    @Test func textsAreMadeEqualInLength() throws {
        let tokenizer = try Fixtures.tokenizer("roberta")
        let encodings = tokenizer.encode(["a dog barks in the rain", "", "a"], padding: .longest)
        #expect(Set(encodings.map(\.ids.count)) == [tokenizer.encode("a dog barks in the rain").ids.count])
        #expect(encodings[1].ids.dropFirst(2).allSatisfy { $0 == tokenizer.definition.padID })
        #expect(encodings[1].attentionMask.reduce(0, +) == 2)
        #expect(tokenizer.encode([], padding: .longest).isEmpty)
    }

    @Test func decodingIgnoresIDsThatDoNotExist() throws {
        for name in ["roberta", "t5"] {
            let tokenizer = try Fixtures.tokenizer(name)
            let ids = tokenizer.contentIDs(of: "rain on a roof")
            #expect(tokenizer.decode([-1, 1 << 40] + ids + [.max]).hasSuffix("roof"))
        }
    }
}
