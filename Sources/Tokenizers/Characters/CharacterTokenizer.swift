/// A symbol for every character, as transformers' `VitsTokenizer` takes text that is phonemes already.
struct CharacterTokenizer: Tokenizer {
    let definition: TokenizerDefinition
    private let ids: [[UInt8]: Int]

    init(_ definition: TokenizerDefinition) {
        self.definition = definition
        ids = Dictionary(
            (0..<definition.vocabulary.count).map { (Array(definition.vocabulary[$0]), $0) }
        ) { first, _ in first }
    }

    /// Characters without a symbol are left out, unless they have one in lower case.
    func contentIDs(of text: String) -> [Int] {
        text.unicodeScalars.flatMap { scalar -> [Int] in
            if let id = ids[Array(scalar.utf8)] { return [id] }
            return scalar.properties.lowercaseMapping.unicodeScalars.compactMap { ids[Array($0.utf8)] }
        }
    }

    func decode(_ ids: [Int]) -> String {
        ids.compactMap { definition.vocabulary.token($0) }.map { String(decoding: $0, as: UTF8.self) }.joined()
    }
}
