/// Builds the tables that encoding needs.
///
/// - Throws: `TokenizerError.invalidField` if parts of the definition do not agree with each other.
package func makeTokenizer(_ definition: TokenizerDefinition) throws -> any Tokenizer {
    try definition.validate()
    return switch definition.model {
    case .bytePair(let model): BytePairTokenizer(definition, model: model)
    case .unigram(let model): try UnigramTokenizer(definition, model: model)
    case .characters(let model): CharacterTokenizer(definition, model: model)
    }
}
