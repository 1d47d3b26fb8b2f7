import Foundation
import TestSupport
import Testing
import Tokenizers

/// Time grows about as the text does, whatever it is made of. It is the thread's own, so that a busy machine changes
/// nothing; what grows with the square of the text would take minutes.
struct LongTextTests {
    #if DEBUG
        static let limit = 30.0
    #else
        static let limit = 1.0
    #endif

    /// Seconds of this thread's work.
    private func seconds(_ body: () throws -> Void) rethrows -> Double {
        func now() -> Double {
            var time = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
        }
        let start = now()
        try body()
        return now() - start
    }

    /// 100,000 characters of something.
    static let texts: [(name: String, text: String)] = [
        ("one letter", "a"), ("two letters", "in"), ("words", "the dog's bark, "), ("spaces", " "),
        ("line ends", "\r\n"),
        ("ideographs", "漢"), ("emoji", "👩‍👩‍👧‍👦"), ("marks", "\u{301}"), ("joiners", "a\u{200D}"), ("word marks", "▁"),
        ("masks", " <mask>"), ("extra ids", "<extra_id_1> "), ("almost special", "<extra_id_"), ("controls", "\u{1}"),
        ("apostrophes", "'"), ("full width", "ａ"),
    ].map {
        (
            $0,
            String(String.UnicodeScalarView(repeatElement($1.unicodeScalars, count: 100_000).joined().prefix(100_000)))
        )
    }

    @Test(arguments: ["roberta", "t5"]) func encodingIsFast(name: String) throws {
        let tokenizer = try Fixtures.tokenizer(name)
        for (name, text) in Self.texts {
            let time = seconds { _ = tokenizer.encode(text, padding: .maxLength(512)) }
            #expect(time < Self.limit, "\(name)")
        }
    }

    /// A vocabulary of the published size is ready in the time of a blink.
    @Test func loadingIsFast() throws {
        var random = SplitMix(seed: 5)
        var vocabulary = TokenTable(["<pad>", "</s>", "<unk>"].map(\.utf8))
        while vocabulary.count < 32_100 {
            vocabulary.append(
                (0..<Int.random(in: 1...12, using: &random)).map { _ in UInt8.random(in: 97...122, using: &random) })
        }
        let characterMap: [UInt8] =
            if case .unigram(let model) = try Fixtures.definition("t5").model { model.characterMap } else { [] }
        let unigram = UnigramModel(
            scores: (0..<vocabulary.count).map { -Double($0) }, unknownID: 2, characterMap: characterMap)
        let merges = (0..<50_000).map { BytePairModel.Merge(left: $0 % 300, right: $0 / 2, result: $0 / 2 + 1) }
        for model in [TokenizerDefinition.Model.unigram(unigram), .bytePair(BytePairModel(merges: merges))] {
            let data = try TokenizerDefinition(
                model: model, vocabulary: vocabulary, addedTokens: [], prefix: [], suffix: [1], padID: 0, maxLength: 128
            ).encoded()
            let time = try seconds { _ = try makeTokenizer(TokenizerDefinition(decoding: data)) }
            #expect(time < Self.limit)
        }
    }
}
