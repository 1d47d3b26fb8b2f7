import Foundation
import TestSupport
import Testing
import Tokenizers

/// The stored form of definitions.
@Suite struct DefinitionCodingTests {
    @Test(arguments: ["roberta", "t5", "probe"]) func decodingGivesTheDefinitionBack(name: String) throws {
        var definition = try Fixtures.definition(name)
        definition.addedTokens.append(
            AddedToken(content: "\u{E9}\0", id: 1_100_000, stripsLeft: true, stripsRight: true, isNormalized: true))
        for maxLength in [nil, 0, 77] {
            definition.maxLength = maxLength
            let data = try definition.encoded()
            #expect(try TokenizerDefinition(decoding: data) == definition)
            #expect(try TokenizerDefinition(decoding: data).encoded() == data)
        }
    }

    @Test func aDefinitionCanBePartOfAnything() throws {
        let definition = try Fixtures.definition("t5")
        let data = try JSONEncoder().encode(["tokenizer": definition])
        #expect(try JSONDecoder().decode([String: TokenizerDefinition].self, from: data)["tokenizer"] == definition)
    }

    @Test(arguments: ["roberta", "t5"]) func aPrefixIsRefused(name: String) throws {
        let data = try Fixtures.definition(name).encoded()
        let offsets =
            Array(0..<min(400, data.count)) + Array(stride(from: 400, to: data.count, by: 1009)) + [data.count - 1]
        for offset in offsets {
            #expect(throws: TokenizerError.self) { try TokenizerDefinition(decoding: data.prefix(offset)) }
        }
    }

    @Test(arguments: ["roberta", "t5"]) func flippedBitsDoNotCrash(name: String) throws {
        let data = try Fixtures.definition(name).encoded()
        var random = SplitMix(seed: 1)
        for round in 0..<600 {
            var damaged = data
            // Half of the flips hit the first fields, where counts and lengths are.
            let range = round % 2 == 0 ? 0..<2000 : 0..<data.count
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                damaged[Int.random(in: range, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            }
            do {
                let tokenizer = try makeTokenizer(TokenizerDefinition(decoding: damaged))
                let encoding = tokenizer.encode("a dog barks  <mask> ﬁn\u{301} 漢字 1999's", maxLength: 12)
                #expect(encoding.ids.count == encoding.attentionMask.count)
            } catch is TokenizerError {
                // Refused: also well.
            }
        }
    }

    @Test func whatIsWrongIsSaid() throws {
        let data = try Fixtures.definition("t5").encoded()
        #expect { try TokenizerDefinition(decoding: Data("PK".utf8) + data) } throws: {
            "\($0)".contains("it does not begin with ALTK")
        }
        #expect { try TokenizerDefinition(decoding: data + [0]) } throws: { "\($0)".contains("after the last field") }
        #expect {
            try TokenizerDefinition(decoding: data.prefix(4) + [2] + data.dropFirst(5))
        } throws: {
            "\($0)".contains("version 2 is not known")
        }
    }

    @Test func partsThatDoNotFitAreRefused() throws {
        func expectRefusal(_ name: String, _ field: String, _ change: (inout TokenizerDefinition) -> Void) throws {
            var definition = try Fixtures.definition(name)
            change(&definition)
            #expect { try makeTokenizer(definition) } throws: { "\($0)".contains(field) }
            #expect(throws: TokenizerError.self) { try definition.encoded() }
        }
        try expectRefusal("t5", "special tokens") { $0.suffix = [216] }
        try expectRefusal("t5", "special tokens") { $0.padID = -1 }
        try expectRefusal("t5", "maximum length") { $0.maxLength = -5 }
        try expectRefusal("t5", "added tokens") { $0.addedTokens[0].content = "" }
        try expectRefusal("t5", "added tokens") { $0.addedTokens[0].id = .max }
        try expectRefusal("t5", "scores") {
            $0.model = .unigram(UnigramModel(scores: [0], unknownID: 2, characterMap: []))
        }
        try expectRefusal("t5", "scores") {
            let scores = [.nan] + Array(repeating: 0.0, count: $0.vocabulary.count - 1)
            $0.model = .unigram(UnigramModel(scores: scores, unknownID: 2, characterMap: []))
        }
        try expectRefusal("t5", "unknown") {
            let scores = Array(repeating: 0.0, count: $0.vocabulary.count)
            $0.model = .unigram(UnigramModel(scores: scores, unknownID: scores.count, characterMap: []))
        }
        try expectRefusal("roberta", "merges") {
            $0.model = .bytePair(BytePairModel(merges: [.init(left: 5, right: -6, result: 7)]))
        }
    }
}
