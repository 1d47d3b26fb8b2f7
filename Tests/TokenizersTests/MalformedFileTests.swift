import Foundation
import TestSupport
import Testing
import Tokenizers

/// Damaged and hostile files: an error that names file and place, never a crash.
@Suite struct MalformedFileTests {
    /// Reads a folder that holds `bytes` as `file` beside copies of `others`; tries what could be read.
    private func read(
        _ bytes: some Collection<UInt8>, as file: String, of name: String, beside others: [String] = []
    ) throws {
        let folder = try TemporaryFolder(copying: others, from: name)
        try folder.write(bytes, to: file)
        let tokenizer = try makeTokenizer(try TokenizerReader.read(folder: folder.url, kind: Fixtures.kind(name)))
        let encoding = tokenizer.encode("a dog barks  <mask> ﬁn\u{301} 漢字 1999's", maxLength: 12)
        #expect(encoding.ids.count == encoding.attentionMask.count)
    }

    private func expectMessage(
        _ parts: String..., from text: String, as file: String, of name: String, beside others: [String] = []
    ) {
        #expect {
            try read(Array(text.utf8), as: file, of: name, beside: others)
        } throws: { error in
            error is TokenizerError && ([file] + parts).allSatisfy { "\(error)".contains($0) }
        }
    }

    static let files: [(name: String, file: String, others: [String])] = [
        ("t5", "spiece.model", []), ("t5", "tokenizer.json", []), ("roberta", "tokenizer.json", []),
        ("roberta", "vocab.json", ["merges.txt"]), ("roberta", "merges.txt", ["vocab.json"]),
        ("t5", "tokenizer_config.json", ["spiece.model"]),
    ]

    @Test(arguments: files) func truncatedFiles(name: String, file: String, others: [String]) throws {
        let lines = try Fixtures.bytes("\(name)/\(file)")
        let bytes = lines.last == UInt8(ascii: "\n") ? Array(lines.dropLast()) : lines
        let offsets = Set((0..<60).map { bytes.count * $0 / 60 } + (0..<100) + (bytes.count - 40..<bytes.count))
        for offset in offsets.sorted() where offset < bytes.count {
            do {
                try read(bytes.prefix(offset), as: file, of: name, beside: others)
                // What can end early unnoticed: lines between two merges, and fields after those that we need.
                let isUnnoticed = file == "merges.txt" || file == "spiece.model" && offset > bytes.count - 20
                #expect(isUnnoticed, "byte \(offset)")
            } catch is TokenizerError {
                continue
            }
        }
    }

    @Test(arguments: files) func flippedBits(name: String, file: String, others: [String]) throws {
        let bytes = try Fixtures.bytes("\(name)/\(file)")
        var random = SplitMix(seed: 7)
        for round in 0..<120 {
            var damaged = bytes
            let range = round % 2 == 0 ? 0..<min(4000, bytes.count) : 0..<bytes.count
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                damaged[Int.random(in: range, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            do { try read(damaged, as: file, of: name, beside: others) } catch is TokenizerError {}
        }
    }

    @Test func randomCharacterMaps() throws {
        guard case .unigram(let model) = try Fixtures.definition("t5").model else { return }
        var random = SplitMix(seed: 3)
        for _ in 0..<300 {
            var bytes = model.characterMap
            for _ in 0..<200 {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            guard let map = try? CharacterMap(bytes, file: "map") else { continue }
            for text in ["ﬁn\u{301} 漢字 ½ \0 \u{FDFA}", "a\u{300}b"] { _ = map.normalize(text) }
        }
        // The trie of a map that passes: every unit random, replacements intact.
        let size = model.characterMap.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        for _ in 0..<50 {
            var bytes = model.characterMap
            for index in 4..<4 + size { bytes[index] = UInt8.random(in: 0...255, using: &random) }
            let map = try CharacterMap(bytes, file: "map")
            for value in UInt32(0)..<3000 {
                if let scalar = Unicode.Scalar(value) { _ = map.normalize("\(scalar)\u{301}") }
            }
        }
    }

    @Test func emptyFolder() throws {
        let folder = try TemporaryFolder()
        #expect { try TokenizerReader.read(folder: folder.url, kind: .roberta) } throws: {
            "\($0)".contains("expected tokenizer.json, or vocab.json and merges.txt")
                && "\($0)".contains(folder.url.path)
        }
        #expect { try TokenizerReader.read(folder: folder.url, kind: .t5) } throws: {
            "\($0)".contains("expected tokenizer.json or spiece.model")
        }
    }

    @Test func unreadableFile() throws {
        let folder = try TemporaryFolder()
        let file = folder.url.appendingPathComponent("spiece.model")
        try FileManager.default.createDirectory(at: file, withIntermediateDirectories: false)
        #expect { try TokenizerReader.read(folder: folder.url, kind: .t5) } throws: {
            "\($0)".contains("spiece.model: cannot be read")
        }
    }

    @Test func wrongJSON() {
        let file = "tokenizer.json"
        expectMessage("byte 0", from: "", as: file, of: "t5")
        expectMessage("expected an object", from: "[]", as: file, of: "t5")
        expectMessage("model", "it is missing", from: "{}", as: file, of: "t5")
        expectMessage("model.type", "BPE", from: #"{"model": {"type": "BPE"}}"#, as: file, of: "t5")
        expectMessage("model.type", "WordPiece", from: #"{"model": {"type": "WordPiece"}}"#, as: file, of: "roberta")
        expectMessage("model.vocab", "array", from: #"{"model": {"vocab": {}}}"#, as: file, of: "t5")
        expectMessage("model.vocab[1]", from: #"{"model": {"vocab": [["a", 0], ["b"]]}}"#, as: file, of: "t5")
        expectMessage("model.vocab[0][1]", from: #"{"model": {"vocab": [["a", "0"]]}}"#, as: file, of: "t5")
        expectMessage("model.vocab.a", from: #"{"model": {"vocab": {"a": -1}}}"#, as: file, of: "roberta")
        expectMessage("model.vocab.a", from: #"{"model": {"vocab": {"a": 4000000000}}}"#, as: file, of: "roberta")
        expectMessage("model.vocab", "1048575", from: #"{"model": {"vocab": {"a": 1048575}}}"#, as: file, of: "roberta")
        expectMessage("id 0", from: #"{"model": {"vocab": {"a": 0, "b": 0}}}"#, as: file, of: "roberta")
        expectMessage("model.vocab", "empty", from: #"{"model": {"vocab": {}}}"#, as: file, of: "roberta")
        let merges = #"{"model": {"vocab": {"a": 0, "b": 1, "ab": 2}, "merges": "#
        expectMessage("model.merges[1]", from: merges + #"["a b", "b a"]}}"#, as: file, of: "roberta")
        expectMessage("model.merges[0]", from: merges + #"["a  b"]}}"#, as: file, of: "roberta")
        expectMessage("model.merges[0]", from: merges + #"[["a"]]}}"#, as: file, of: "roberta")
        expectMessage("not base64", from: Self.unigram(normalizer: "*"), as: file, of: "t5")
        expectMessage("precompiled_charsmap", from: Self.unigram(normalizer: "AAAA"), as: file, of: "t5")
    }

    private static func unigram(normalizer: String) -> String {
        """
        {"normalizer": {"type": "Precompiled", "precompiled_charsmap": "\(normalizer)"},
        "model": {"vocab": [["<pad>", 0], ["</s>", 0], ["<unk>", 0]]}}
        """
    }

    @Test(arguments: [
        #"{"a": 01}"#, #"{"a": 1.}"#, #"{"a": .5}"#, #"{"a": 1e}"#, #"{"a": +1}"#, #"{"a": nan}"#, #"{"a": +Infinity}"#,
        #"{"a": -NaN}"#, #"{"a": Inf}"#, #"{"a" 1}"#,
        #"{"a": 1,}"#, #"{a: 1}"#,
        #"{"a": "\ud800"}"#, #"{"a": "\ud800\u0041"}"#, #"{"a": "\x"}"#, #"{"a": "\u12g4"}"#, "{\"a\": \"\n\"}",
        #"{"a": "b"#, #"{"a": tru}"#,
        #"{} {}"#, #"{"a": [1 2]}"#, #"{"a": [1,]}"#, "\u{FEFF}{}",
    ])
    func notJSON(text: String) {
        expectMessage("damaged", from: text, as: "tokenizer.json", of: "t5")
    }

    @Test func deeplyNestedJSON() {
        let deep = #"{"a": "# + String(repeating: "[", count: 100_000)
        expectMessage("nested more than", from: deep, as: "tokenizer.json", of: "t5")
    }

    @Test func textThatIsNotUTF8() {
        #expect {
            try read(
                [0x7B, 0x22, 0xC3, 0x28, 0x22, 0x3A, 0x31, 0x7D], as: "vocab.json", of: "roberta",
                beside: ["merges.txt"])
        } throws: { "\($0)".contains("not UTF-8") }
    }

    @Test func wrongMerges() {
        expectMessage(
            "line 2", from: "#version: 0.2\nnothing\n", as: "merges.txt", of: "roberta", beside: ["vocab.json"])
        expectMessage("line 2", from: "i n\n\ni n\n", as: "merges.txt", of: "roberta", beside: ["vocab.json"])
    }

    @Test func wrongConfigs() {
        let file = "tokenizer_config.json"
        let others = ["spiece.model"]
        expectMessage("model_max_length", from: #"{"model_max_length": "long"}"#, as: file, of: "t5", beside: others)
        expectMessage("model_max_length", from: #"{"model_max_length": 0}"#, as: file, of: "t5", beside: others)
        expectMessage("extra_ids", from: #"{"extra_ids": 1e9}"#, as: file, of: "t5", beside: others)
        expectMessage("truncation_side", from: #"{"truncation_side": "left"}"#, as: file, of: "t5", beside: others)
        expectMessage("pad_token", from: #"{"pad_token": null}"#, as: file, of: "t5", beside: others)
        expectMessage("eos_token", from: #"{"eos_token": 7}"#, as: file, of: "t5", beside: others)
        expectMessage(
            "single_word", from: #"{"additional_special_tokens": [{"content": "a", "single_word": true}]}"#, as: file,
            of: "t5", beside: others)
        expectMessage(
            "added_tokens_decoder.x", from: #"{"added_tokens_decoder": {"x": {"content": "a"}}}"#, as: file, of: "t5",
            beside: others)
    }

    @Test func wrongSentencePieceModels() {
        func expect(_ part: String, _ bytes: [UInt8]) {
            #expect { try read(bytes, as: "spiece.model", of: "t5") } throws: {
                "\($0)".contains("spiece.model") && "\($0)".contains(part)
            }
        }
        expect("pieces: there are none", [])
        expect("normalizer_spec", [0x0A, 3, 0x0A, 1, 0x61])
        expect("model_type: 2", [0x12, 2, 0x18, 2])
        expect("too early", [0x0A])
        expect("do not fit", [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F])
        expect("longer than 64 bits", [0x0A] + Array(repeating: 0xFF, count: 12))
        expect("tag", [0x0B])
        expect("not UTF-8", [0x0A, 3, 0x0A, 1, 0xFF])
    }
}
