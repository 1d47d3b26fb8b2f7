/// Byte-level BPE with added tokens, as `RobertaTokenizer` of transformers 5 does it.
struct BytePairTokenizer: Tokenizer {
    let definition: TokenizerDefinition
    private let addsPrefixSpace: Bool
    private let merger: BytePairMerger
    /// By byte; nil for a byte that the vocabulary lacks, which then leaves no trace.
    private let byteIDs: [Int?]
    private let addedTokens: AddedTokens

    init(_ definition: TokenizerDefinition, model: BytePairModel) {
        self.definition = definition
        addsPrefixSpace = model.addsPrefixSpace
        merger = BytePairMerger(model.merges)
        var ids: [[UInt8]: Int] = [:]
        for id in 0..<definition.vocabulary.count where (1...2).contains(definition.vocabulary[id].count) {
            ids[Array(definition.vocabulary[id])] = id
        }
        byteIDs = ByteAlphabet.scalars.map { ids[Array(String($0).utf8)] }
        addedTokens = AddedTokens(definition.addedTokens)
    }

    func contentIDs(of text: String) -> [Int] {
        addedTokens.split(text).flatMap { piece in
            switch piece {
            case .token(let id): [id]
            case .text(let text): WordScanner.words(of: prefixed(text)).flatMap(ids(ofWord:))
            }
        }
    }

    func decode(_ ids: [Int]) -> String {
        let bytes = ids.flatMap { id -> [UInt8] in
            guard let token = addedTokens.contents[id] ?? definition.vocabulary.token(id) else { return [] }
            return ByteAlphabet.bytes(of: token) ?? Array(token)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func prefixed(_ text: String) -> String {
        addsPrefixSpace && text.utf8.first != UInt8(ascii: " ") ? " " + text : text
    }

    private func ids(ofWord word: ArraySlice<UInt8>) -> [Int] {
        merger.merged(word.compactMap { byteIDs[Int($0)] })
    }
}
