import Foundation
import Testing
import Tokenizers

/// Ids equal to Hugging Face's on 10,000 strings.
@Suite struct ReferenceTests {
    /// A line of `strings.tsv`.
    struct Sample {
        let text: String
        let hashes: [String: String]

        init(columns: [String]) throws {
            let repeats = try #require(Int(columns[0]))
            text = String(repeating: Self.unescaped(columns[5]), count: repeats)
            hashes = ["roberta": columns[1], "t5": columns[2], "large roberta": columns[3], "large t5": columns[4]]
        }

        private static func unescaped(_ text: String) -> String {
            var scalars = String.UnicodeScalarView()
            var isEscaped = false
            for scalar in text.unicodeScalars {
                if isEscaped {
                    scalars.append(["0": "\0", "t": "\t", "n": "\n", "r": "\r"][scalar] ?? scalar)
                    isEscaped = false
                } else if scalar == "\\" {
                    isEscaped = true
                } else {
                    scalars.append(scalar)
                }
            }
            return String(scalars)
        }
    }

    static let samples = Result { try Fixtures.columns("strings.tsv").map(Sample.init(columns:)) }

    @Test(arguments: [
        ("roberta", ["tokenizer.json"]), ("roberta", ["vocab.json", "merges.txt"]),
        ("roberta", ["tokenizer.json", "vocab.json", "merges.txt", "tokenizer_config.json"]),
        ("t5", ["tokenizer.json"]), ("t5", ["spiece.model"]),
        ("t5", ["tokenizer.json", "spiece.model", "tokenizer_config.json"]),
    ])
    func idsOfTheFixtureTokenizers(name: String, files: [String]) throws {
        let folder = try TemporaryFolder(copying: files, from: name)
        try expectEqualIDs(try TokenizerReader.read(folder: folder.url, kind: Fixtures.kind(name)), column: name)
    }

    /// The same with GPT-2's merges and T5's pieces, if there is a folder of them.
    @Test(
        .enabled(if: Fixtures.largeFolder != nil), arguments: ["roberta-json", "roberta-files", "t5-json", "t5-files"])
    func idsOfPublishedVocabularies(name: String) throws {
        let folder = try #require(Fixtures.largeFolder).appendingPathComponent(name)
        let definition = try TokenizerReader.read(folder: folder, kind: Fixtures.kind(name))
        try expectEqualIDs(definition, column: name.hasPrefix("t5") ? "large t5" : "large roberta")
    }

    private func expectEqualIDs(_ definition: TokenizerDefinition, column: String) throws {
        var unlimited = try TokenizerDefinition(decoding: definition.encoded())
        unlimited.maxLength = nil
        let tokenizer = try makeTokenizer(unlimited)
        let samples = try Self.samples.get()
        #expect(samples.count == 10_000)
        for (index, sample) in samples.enumerated() {
            let hash = Hash(ids: tokenizer.encode(sample.text).ids)
            #expect(
                "\(hash)" == sample.hashes[column],
                "\(column), string \(index): \(sample.text.prefix(80).debugDescription)")
        }
    }
}
