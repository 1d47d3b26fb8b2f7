/// The added tokens of a tokenizer: those found in the text as it came, then those found in what is left of it once it
/// is normalized.
struct AddedTokens: Sendable {
    /// By id, as decoding writes them.
    let contents: [Int: ArraySlice<UInt8>]
    private let verbatim: AddedTokenSplitter
    private let normalized: AddedTokenSplitter

    /// - Parameter normalize: the tokenizer's normalization.
    init(_ tokens: [AddedToken], normalize: (String) -> String = { $0 }) {
        contents = Dictionary(
            tokens.map { ($0.id, Array($0.content.utf8)[...]) }, uniquingKeysWith: { _, last in last })
        verbatim = AddedTokenSplitter(tokens.filter { !$0.isNormalized })
        normalized = AddedTokenSplitter(tokens.filter(\.isNormalized), written: { normalize($0.content) })
    }

    /// Pieces of a text; those that are text are normalized.
    func split(_ text: String, normalize: (String) -> String = { $0 }) -> [AddedTokenSplitter.Piece] {
        verbatim.split(text).flatMap { piece in
            switch piece {
            case .token: [piece]
            case .text(let text): normalized.split(normalize(text))
            }
        }
    }
}
