import FoundationEssentials

/// The vocabulary, scores and character map of a T5 unigram model, from `tokenizer.json` or from `spiece.model`.
struct UnigramFiles {
    /// Where T5's vocabularies have `<unk>`, whatever the files say.
    private static let unknownID = 2
    private static let defaultExtraCount = 100

    let vocabulary: [[UInt8]: Int]
    let table: TokenTable
    let model: UnigramModel
    /// Special tokens beside the named ones.
    let extraTokens: [String]

    /// - Parameter file: `tokenizer.json`, which is preferred.
    init(_ folder: TokenizerFolder, config: JSONField, file: JSONField?) throws(TokenizerError) {
        let extraCount = try config["extra_ids"]?.integer(in: 0..<10_000) ?? Self.defaultExtraCount
        let extraIDs = (0..<extraCount).map { "<extra_id_\($0)>" }
        var contents: Contents
        if let file {
            contents = try Contents(tokenizerFile: file)
        } else if let bytes = try folder.bytes("spiece.model") {
            contents = Contents(try SentencePieceModel(bytes, file: folder.path("spiece.model")))
            contents.pieces += extraIDs.reversed().map { ($0, 0) }
        } else {
            throw .missingFiles(folder: folder.url.path, expected: "tokenizer.json or spiece.model")
        }
        if !contents.characterMap.isEmpty {
            // Only to find damage here, where the file has a name.
            _ = try CharacterMap(
                contents.characterMap, file: folder.path(file == nil ? "spiece.model" : "tokenizer.json"))
        }
        table = TokenTable(contents.pieces.map(\.text.utf8))
        vocabulary = Dictionary(
            contents.pieces.enumerated().map { (Array($0.element.text.utf8), $0.offset) },
            uniquingKeysWith: { _, last in last })
        model = UnigramModel(
            scores: contents.pieces.map(\.score), unknownID: Self.unknownID, characterMap: contents.characterMap)
        extraTokens = contents.controls + extraIDs
    }
}

/// What both forms hold.
private struct Contents {
    /// By id.
    var pieces: [(text: String, score: Double)]
    /// Pieces that only stand for themselves.
    var controls: [String]
    var characterMap: [UInt8]

    init(_ model: SentencePieceModel) {
        pieces = model.pieces.map { ($0.text, Double($0.score)) }
        controls = model.pieces.filter { $0.kind == .control || $0.kind == .userDefined }.map(\.text)
        characterMap = model.characterMap
    }

    init(tokenizerFile file: JSONField) throws(TokenizerError) {
        let model = try file.required("model")
        try model.expectType("Unigram")
        pieces = try Self.pieces(try model.required("vocab"))
        controls = []
        characterMap = try Self.characterMap(file["normalizer"])
    }

    /// An array of `[piece, score]`.
    private static func pieces(_ field: JSONField) throws(TokenizerError) -> [(text: String, score: Double)] {
        var pieces: [(String, Double)] = []
        for element in try field.elements() {
            let pair = try element.elements()
            guard pair.count == 2 else { throw element.invalid("expected a piece and its score") }
            pieces.append((try pair[0].string(), try pair[1].number()))
        }
        return pieces
    }

    /// That of the first `Precompiled` normalizer, which may stand alone or in a sequence.
    private static func characterMap(_ normalizer: JSONField?) throws(TokenizerError) -> [UInt8] {
        guard let normalizer else { return [] }
        let candidates = try normalizer["normalizers"]?.elements() ?? [normalizer]
        for candidate in candidates where try candidate["type"]?.string() == "Precompiled" {
            guard let field = candidate["precompiled_charsmap"] else { continue }
            guard let data = Data(base64Encoded: try field.string()) else { throw field.invalid("it is not base64") }
            return [UInt8](data)
        }
        return []
    }
}
