/// What a tokenizer needs of a SentencePiece model file (`spiece.model`), which is a `ModelProto` of
/// `sentencepiece_model.proto` in protocol buffers. Other fields are stepped over.
struct SentencePieceModel {
    struct Piece {
        enum Kind: UInt64 {
            case normal = 1
            case unknown = 2
            case control = 3
            case userDefined = 4
            case unused = 5
            case byte = 6
        }

        var text = ""
        var score: Float = 0
        var kind: Kind? = .normal
    }

    /// `trainer_spec.model_type` of a unigram model, and what a file without it means.
    private static let unigramType: UInt64 = 1

    private(set) var pieces: [Piece] = []
    private(set) var characterMap: [UInt8] = []

    /// - Throws: `TokenizerError` if the file is not a unigram model.
    init(_ bytes: [UInt8], file: String) throws(TokenizerError) {
        var modelType = Self.unigramType
        var isNormalizerSpecified = false
        var reader = ByteReader(bytes, file: file)
        while let field = try reader.nextField() {
            switch (field.number, field.wireType) {
            case (1, .run):
                guard pieces.count < TokenTable.maximumCount else {
                    throw reader.malformed("there are too many pieces")
                }
                pieces.append(try Self.piece(try reader.nested()))
            case (2, .run): modelType = try Self.modelType(try reader.nested()) ?? modelType
            case (3, .run):
                characterMap = try Self.characterMap(try reader.nested()) ?? characterMap
                isNormalizerSpecified = true
            default: try reader.skip(field.wireType)
            }
        }
        guard modelType == Self.unigramType else {
            throw .invalidField(
                file: file, field: "trainer_spec.model_type", reason: "\(modelType) is not supported, only 1 (unigram)")
        }
        guard !pieces.isEmpty else { throw .invalidField(file: file, field: "pieces", reason: "there are none") }
        // It follows the pieces and is always written: a file that was cut between two fields lacks it.
        guard isNormalizerSpecified else {
            throw .invalidField(file: file, field: "normalizer_spec", reason: "it is missing; is the file complete?")
        }
    }

    private static func piece(_ message: ByteReader) throws(TokenizerError) -> Piece {
        var piece = Piece()
        var reader = message
        while let field = try reader.nextField() {
            switch (field.number, field.wireType) {
            case (1, .run): piece.text = try reader.string()
            case (2, .fixed32): piece.score = Float(bitPattern: try reader.fixed32())
            case (3, .varint): piece.kind = Piece.Kind(rawValue: try reader.varint())
            default: try reader.skip(field.wireType)
            }
        }
        return piece
    }

    private static func modelType(_ message: ByteReader) throws(TokenizerError) -> UInt64? {
        var type: UInt64?
        var reader = message
        while let field = try reader.nextField() {
            if field.number == 3, field.wireType == .varint {
                type = try reader.varint()
            } else {
                try reader.skip(field.wireType)
            }
        }
        return type
    }

    private static func characterMap(_ message: ByteReader) throws(TokenizerError) -> [UInt8]? {
        var map: [UInt8]?
        var reader = message
        while let field = try reader.nextField() {
            if field.number == 2, field.wireType == .run {
                map = Array(try reader.run())
            } else {
                try reader.skip(field.wireType)
            }
        }
        return map
    }
}

/// How a protocol buffer's field is written.
private enum WireType: UInt64 {
    case varint = 0
    case fixed64 = 1
    case run = 2
    case fixed32 = 5
}

extension ByteReader {
    /// The tag of the next field; nil at the end of the message.
    fileprivate mutating func nextField() throws(TokenizerError) -> (number: UInt64, wireType: WireType)? {
        guard !isAtEnd else { return nil }
        let tag = try varint()
        guard let wireType = WireType(rawValue: tag & 7), tag >> 3 > 0 else {
            throw malformed("a field's tag is not of protocol buffers")
        }
        return (tag >> 3, wireType)
    }

    fileprivate mutating func skip(_ wireType: WireType) throws(TokenizerError) {
        switch wireType {
        case .varint: _ = try varint()
        case .fixed64: _ = try fixed64()
        case .run: _ = try run()
        case .fixed32: _ = try fixed32()
        }
    }
}
