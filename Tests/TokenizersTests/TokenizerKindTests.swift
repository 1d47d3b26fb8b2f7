import Foundation
import Testing
import Tokenizers

/// Folders that are given by themselves: their class follows from what is in them.
@Suite struct TokenizerKindTests {
    /// What `tokenizer_config.json` says; nil if there is none. The first is roberta-base's.
    static let configs: [String?] = [
        #"{"model_max_length": 512}"#, nil, "{}", #"{"tokenizer_class": null}"#,
        #"{"tokenizer_class": "PreTrainedTokenizerFast"}"#, #"{"tokenizer_class": "TokenizersBackend"}"#,
    ]

    @Test(arguments: [
        ("roberta", ["tokenizer.json"]), ("roberta", ["vocab.json", "merges.txt"]),
        ("roberta", ["tokenizer.json", "vocab.json", "merges.txt"]), ("t5", ["tokenizer.json"]),
        ("t5", ["spiece.model"]),
        ("t5", ["tokenizer.json", "spiece.model"]),
    ])
    func aFolderWithoutAClassIsWhatItsFilesAre(name: String, files: [String]) throws {
        for config in Self.configs {
            let folder = try TemporaryFolder(copying: files, from: name)
            if let config { try folder.write(config, to: "tokenizer_config.json") }
            let kind = try TokenizerKind(folder: folder.url)
            #expect(kind == Fixtures.kind(name), "\(config ?? "no config")")
            let text = "a dog barks in heavy rain"
            #expect(
                try makeTokenizer(TokenizerReader.read(folder: folder.url, kind: kind)).encode(text).ids
                    == Fixtures.tokenizer(name).encode(text).ids)
        }
    }

    @Test func symbolsWithoutMergesAreSpeech() throws {
        let folder = try TemporaryFolder()
        try folder.write(#"{"_": 0, "a": 1}"#, to: "vocab.json")
        #expect(try TokenizerKind(folder: folder.url) == .vits)
    }

    @Test func aNamedClassIsTaken() throws {
        let folder = try TemporaryFolder()
        for kind in TokenizerKind.allCases {
            try folder.write(#"{"tokenizer_class": "\#(kind.className)"}"#, to: "tokenizer_config.json")
            #expect(try TokenizerKind(folder: folder.url) == kind)
        }
    }

    @Test(arguments: [
        ([("tokenizer_config.json", #"{"tokenizer_class": "BertTokenizer"}"#)], "BertTokenizer is not supported"),
        ([("tokenizer.json", #"{"model": {"type": "WordPiece", "vocab": {}}}"#)], "WordPiece is not supported"),
        ([("tokenizer_config.json", #"{"model_max_length": 512}"#)], "no tokenizer here"),
        // GPT-2's form.
        (
            [("vocab.json", #"{"a": 0, "b": 1, "ab": 2, "<|endoftext|>": 3}"#), ("merges.txt", "a b\n")],
            "there is no <s>, so these are not the files of a RobertaTokenizer"
        ),
        (
            [("tokenizer.json", #"{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}, "added_tokens": []}"#)],
            "there is no <s>"
        ),
        // XLNet's order of pieces.
        (
            [("tokenizer.json", #"{"model": {"type": "Unigram", "vocab": [["<unk>", 0], ["<s>", 0], ["<eod>", 0]]}}"#)],
            "there is no </s>"
        ),
    ])
    func othersAreRefused(files: [(String, String)], message: String) throws {
        let folder = try TemporaryFolder()
        for (name, content) in files { try folder.write(content, to: name) }
        #expect { try TokenizerKind(folder: folder.url) } throws: { error in
            error is TokenizerError && "\(error)".contains(message)
        }
    }
}
