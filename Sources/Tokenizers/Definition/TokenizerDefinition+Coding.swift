import FoundationEssentials

/// The stored form: `ALTK`, a version, then the fields in the order below. Integers are LEB128, scores little-endian
/// doubles; the same definition always gives the same bytes.
extension TokenizerDefinition {
    private static let magic = Array("ALTK".utf8)
    private static let version: UInt64 = 1
    private static let storedForm = "stored tokenizer"

    private enum ModelTag: UInt8 {
        case bytePair = 1
        case unigram = 2
        /// With the defaults of `CharacterModel`.
        case plainCharacters = 3
        case characters = 4
    }

    /// - Throws: `TokenizerError.invalidField` if parts of the definition do not fit each other.
    package func encoded() throws -> Data {
        try validate()
        var writer = ByteWriter()
        writer.raw(Self.magic)
        writer.varint(Self.version)
        writer.varint(UInt64(vocabulary.count))
        for id in 0..<vocabulary.count { writer.varint(UInt64(vocabulary[id].count)) }
        writer.run(vocabulary.bytes)
        writer.varint(UInt64(addedTokens.count))
        for token in addedTokens { writer.addedToken(token) }
        writer.ids(prefix)
        writer.ids(suffix)
        writer.varint(UInt64(padID))
        writer.varint(UInt64(maxLength.map { $0 + 1 } ?? 0))
        switch model {
        case .bytePair(let model):
            writer.byte(ModelTag.bytePair.rawValue)
            writer.bytePairModel(model)
        case .unigram(let model):
            writer.byte(ModelTag.unigram.rawValue)
            writer.unigramModel(model)
        case .characters(CharacterModel()):
            writer.byte(ModelTag.plainCharacters.rawValue)
        case .characters(let model):
            writer.byte(ModelTag.characters.rawValue)
            writer.characterModel(model)
        }
        return Data(writer.bytes)
    }

    /// - Throws: `TokenizerError` if the bytes are not the stored form of a tokenizer. Whether the parts agree with
    ///   each other is checked by `makeTokenizer`.
    package init(decoding data: Data) throws {
        var reader = ByteReader([UInt8](data), file: Self.storedForm)
        guard try reader.bytes(Self.magic.count).elementsEqual(Self.magic) else {
            throw reader.malformed("it does not begin with ALTK")
        }
        let version = try reader.varint()
        guard version == Self.version else { throw reader.malformed("version \(version) is not known") }
        vocabulary = try reader.vocabulary()
        addedTokens = []
        for _ in 0..<(try reader.count(elementSize: 3)) { addedTokens.append(try reader.addedToken()) }
        prefix = try reader.ids()
        suffix = try reader.ids()
        padID = try reader.id()
        let storedLength = try reader.integer(atMost: Int(Int32.max) + 1)
        maxLength = storedLength == 0 ? nil : storedLength - 1
        switch ModelTag(rawValue: try reader.byte()) {
        case .bytePair: model = .bytePair(try reader.bytePairModel())
        case .unigram: model = .unigram(try reader.unigramModel())
        case .plainCharacters: model = .characters(CharacterModel())
        case .characters: model = .characters(try reader.characterModel())
        case nil: throw reader.malformed("the kind of model is not known")
        }
        guard reader.isAtEnd else { throw reader.malformed("there are bytes after the last field") }
    }
}

/// A definition is coded as its stored form.
extension TokenizerDefinition: Codable {
    package init(from decoder: any Decoder) throws {
        try self.init(decoding: decoder.singleValueContainer().decode(Data.self))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(try encoded())
    }
}

/// Flags of a stored added token.
private struct AddedTokenFlags: OptionSet {
    let rawValue: UInt8
    static let stripsLeft = Self(rawValue: 1)
    static let stripsRight = Self(rawValue: 2)
    static let isNormalized = Self(rawValue: 4)
}

/// What a stored character model does to texts.
private struct CharacterFlags: OptionSet {
    let rawValue: UInt8
    static let isNormalized = Self(rawValue: 1)
    static let isPhonemized = Self(rawValue: 2)
    static let isRomanized = Self(rawValue: 4)
}

extension ByteWriter {
    fileprivate mutating func ids(_ ids: [Int]) {
        varint(UInt64(ids.count))
        for id in ids { varint(UInt64(id)) }
    }

    fileprivate mutating func addedToken(_ token: AddedToken) {
        var flags: AddedTokenFlags = []
        if token.stripsLeft { flags.insert(.stripsLeft) }
        if token.stripsRight { flags.insert(.stripsRight) }
        if token.isNormalized { flags.insert(.isNormalized) }
        byte(flags.rawValue)
        varint(UInt64(token.id))
        run(token.content.utf8)
    }

    fileprivate mutating func bytePairModel(_ model: BytePairModel) {
        byte(model.addsPrefixSpace ? 1 : 0)
        varint(UInt64(model.merges.count))
        for merge in model.merges {
            varint(UInt64(merge.left))
            varint(UInt64(merge.right))
            varint(UInt64(merge.result))
        }
    }

    /// Ids that may be missing are one more than they are, or zero.
    fileprivate mutating func characterModel(_ model: CharacterModel) {
        var flags: CharacterFlags = []
        if model.isNormalized { flags.insert(.isNormalized) }
        if model.isPhonemized { flags.insert(.isPhonemized) }
        if model.isRomanized { flags.insert(.isRomanized) }
        byte(flags.rawValue)
        for id in [model.unknownID, model.blankID] { varint(UInt64(id.map { $0 + 1 } ?? 0)) }
        run(model.language.utf8)
    }

    fileprivate mutating func unigramModel(_ model: UnigramModel) {
        varint(UInt64(model.unknownID))
        varint(UInt64(model.scores.count))
        for score in model.scores { fixed64(score.bitPattern) }
        run(model.characterMap)
    }
}

extension ByteReader {
    fileprivate mutating func id() throws(TokenizerError) -> Int {
        try integer(atMost: 2 * TokenTable.maximumCount)
    }

    fileprivate mutating func ids() throws(TokenizerError) -> [Int] {
        var ids: [Int] = []
        for _ in 0..<(try count(elementSize: 1)) { ids.append(try id()) }
        return ids
    }

    fileprivate mutating func vocabulary() throws(TokenizerError) -> TokenTable {
        let count = try count(elementSize: 1)
        guard count <= TokenTable.maximumCount else { throw malformed("\(count) tokens are too many") }
        var lengths: [Int] = []
        lengths.reserveCapacity(count)
        for _ in 0..<count { lengths.append(try integer(atMost: remaining)) }
        guard let table = TokenTable(bytes: try run(), lengths: lengths) else {
            throw malformed("the tokens' lengths do not add up")
        }
        return table
    }

    fileprivate mutating func addedToken() throws(TokenizerError) -> AddedToken {
        let flags = AddedTokenFlags(rawValue: try byte())
        let id = try id()
        return AddedToken(
            content: try string(), id: id, stripsLeft: flags.contains(.stripsLeft),
            stripsRight: flags.contains(.stripsRight), isNormalized: flags.contains(.isNormalized))
    }

    fileprivate mutating func bytePairModel() throws(TokenizerError) -> BytePairModel {
        let addsPrefixSpace = try byte() != 0
        let count = try count(elementSize: 3)
        var merges: [BytePairModel.Merge] = []
        merges.reserveCapacity(count)
        for _ in 0..<count { merges.append(.init(left: try id(), right: try id(), result: try id())) }
        return BytePairModel(merges: merges, addsPrefixSpace: addsPrefixSpace)
    }

    fileprivate mutating func characterModel() throws(TokenizerError) -> CharacterModel {
        let flags = CharacterFlags(rawValue: try byte())
        let unknown = try id()
        let blank = try id()
        return CharacterModel(
            unknownID: unknown == 0 ? nil : unknown - 1, blankID: blank == 0 ? nil : blank - 1,
            isNormalized: flags.contains(.isNormalized), isPhonemized: flags.contains(.isPhonemized),
            isRomanized: flags.contains(.isRomanized), language: try string())
    }

    fileprivate mutating func unigramModel() throws(TokenizerError) -> UnigramModel {
        let unknownID = try id()
        let count = try count(elementSize: 8)
        var scores: [Double] = []
        scores.reserveCapacity(count)
        for _ in 0..<count { scores.append(Double(bitPattern: try fixed64())) }
        return UnigramModel(scores: scores, unknownID: unknownID, characterMap: Array(try run()))
    }
}
