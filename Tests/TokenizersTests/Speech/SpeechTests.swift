import Foundation
import Testing
import Tokenizers

/// Against Unidecode, PyPI phonemizer, espeak-ng and transformers' `VitsTokenizer`: `make_speech_fixtures.py`.
@Suite struct SpeechTests {
    private struct Sentence {
        let text: String
        let cleaned: String
        let phonemes: String
        let ids: [Int]
    }

    private let sentences: [Sentence]
    private let tokenizer: any Tokenizer

    init() throws {
        sentences = try Fixtures.columns("../Speech/sentences.tsv").map { columns in
            let columns = columns.map { $0.replacingOccurrences(of: "\\t", with: "\t") }
            return Sentence(
                text: columns[0], cleaned: columns[1], phonemes: columns[2],
                ids: columns[3].split(separator: " ").compactMap { Int($0) })
        }
        let folder = Fixtures.folder.appendingPathComponent("../Checkpoints/tiny-tts/tokenizer_2")
        tokenizer = try makeTokenizer(TokenizerReader.read(folder: folder, kind: .vits))
    }

    @Test func cleanersEqualTheReferences() {
        #expect(sentences.count == 500)
        for sentence in sentences { #expect(EnglishCleaner.clean(sentence.text) == sentence.cleaned) }
    }

    @Test func phonemesHaveTheReferencesIDs() throws {
        for sentence in sentences { #expect(tokenizer.contentIDs(of: sentence.phonemes) == sentence.ids) }
        let stored = try makeTokenizer(TokenizerDefinition(decoding: tokenizer.definition.encoded()))
        #expect(stored.contentIDs(of: "wɪʃ") == tokenizer.contentIDs(of: "wɪʃ"))
        #expect(tokenizer.definition.maxLength == 310 && tokenizer.definition.padID == 0)
        #expect(tokenizer.decode(tokenizer.contentIDs(of: "dˈeɪ")) == "dˈeɪ")
    }

    @Test func textHasTheReferencesPhonemesAndIDs() throws {
        let espeak: Espeak
        do {
            espeak = try Espeak.phonemizer()
        } catch {
            print("skipped: \(error)")
            return
        }
        let phonemizer = Phonemizer(espeak)
        for sentence in sentences {
            let phonemes = try phonemizer.phonemes(of: EnglishCleaner.clean(sentence.text))
            #expect(phonemes == sentence.phonemes, "\(sentence.text)")
            #expect(tokenizer.contentIDs(of: phonemes) == sentence.ids)
        }
    }

    /// Says every chunk in brackets.
    private struct Brackets: WordPhonemizer {
        func phonemes(of text: String) -> String { "<\(text)>" }
    }

    @Test(arguments: [
        ("one two", "<one two>"), ("one, two.", "<one>, <two>."), ("\"one\" two", "\"<one>\" <two>"), ("...", "..."),
        ("", ""), ("one\n\ntwo!", "<one> <two>!"), ("3.5 and 1,000", "<3.5 and 1,000>"), ("3. 5", "<3>. <5>"),
        ("it costs 3.5.", "<it costs 3>. <5.>"), ("a (b) [c]", "<a> (<b>) [<c>]"), ("¿qué?", "¿<qué>?"),
    ])
    func punctuationIsKept(_ text: String, _ expected: String) throws {
        #expect(try Phonemizer(Brackets()).phonemes(of: text) == expected)
    }

    @Test(arguments: [
        ("Dr. Drs. St. Costello co.", "doctor doctors saint costello company"), ("Mt. Mr.", "mt. mister"),
        ("a_mr. 1st.", "a_mr. 1st."), ("Привет ½ ™", "privet  1/2 (tm)"), ("日本🎵", ""), ("", ""),
        ("Καλημέρα Łódź ２² ﬁn", "kalemera lodz 22 fin"), ("e\u{301}", "e"), ("¿qué… “sí”—no?", "?que... \"si\"--no?"),
    ])
    func abbreviationsAndSymbols(_ text: String, _ expected: String) {
        #expect(EnglishCleaner.clean(text) == expected)
    }
}
