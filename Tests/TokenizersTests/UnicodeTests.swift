import Foundation
import Testing
import Tokenizers

/// Every code point as Hugging Face's tokenizers see it.
///
/// They follow Unicode 16 (words) and 17 (clusters); Swift's library must know the latter.
@Suite struct UnicodeTests {
    /// A line of `unicode.tsv`.
    struct Block {
        let scalars: [Unicode.Scalar]
        let wordHash: String
        let normalizedHash: String

        init(columns: [String]) throws {
            let start = try #require(UInt32(columns[0], radix: 16))
            scalars = (start..<start + 4096).compactMap(Unicode.Scalar.init)
            wordHash = columns[1]
            normalizedHash = columns[2]
        }

        func text(_ write: (Unicode.Scalar) -> String) -> String { scalars.map(write).joined() }
    }

    private func blocks() throws -> [Block] {
        let blocks = try Fixtures.columns("unicode.tsv").map(Block.init(columns:))
        #expect(blocks.reduce(0) { $0 + $1.scalars.count } == 0x11_0000 - 0x800)
        return blocks
    }

    /// The probe's merges show what joins a letter, a digit or a sign in one word.
    @Test func lettersNumbersAndWhitespace() throws {
        let tokenizer = try Fixtures.tokenizer("probe")
        for block in try blocks() {
            let ids = tokenizer.encode(block.text { "a\($0) 1\($0) !\($0) " }).ids
            #expect("\(Hash(ids: ids))" == block.wordHash, "from \(block.scalars.first.debugDescription)")
        }
    }

    /// Alone, after a replaced character, and before a mark: the last two show the clusters.
    @Test func normalization() throws {
        guard case .unigram(let model) = try Fixtures.definition("t5").model else {
            Issue.record("not a unigram model")
            return
        }
        let map = try CharacterMap(model.characterMap, file: "t5")
        for block in try blocks() {
            let normalized = map.normalize(block.text { "\($0)|\u{A0}\($0)|\($0)\u{301}|" })
            #expect("\(Hash(normalized.utf8))" == block.normalizedHash, "from \(block.scalars.first.debugDescription)")
        }
    }
}
