extension TokenizerDefinition {
    /// The phoneme tokenizer of the authors' speech models, whose symbols are a constant of their code.
    ///
    /// VITS' symbols (github.com/jaywalnut310/vits, `text/symbols.py`) by their place, the later one of the two `'`; and
    /// behind four that nothing says, `⚠`, which ends a sequence. A model reads 310.
    package static var vitsSymbols: TokenizerDefinition {
        let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
        let phonemes =
            "ɑɐɒæɓʙβɔɕçɗɖðʤəɘɚɛɜɝɞɟʄɡɠɢʛɦɧħɥʜɨɪʝɭɬɫɮʟɱɯɰŋɳɲɴøɵɸθœɶʘɹɺɾɻʀʁɽʂʃʈʧʉʊʋⱱʌɣɤʍχʎʏʑʐʒʔʡʕʢǀǁǂǃˈˌːˑʼʴʰʱʲʷˠˤ˞↓↑→↗↘"
        // The first of the two `'` and the four symbols have no token.
        let symbols: [String?] =
            ("_;:,.!?¡¿—…\"«»“” " + letters + phonemes).unicodeScalars.map { String($0) }
            + [nil, "\u{329}", "'", "ᵻ", nil, nil, nil, nil, "⚠"]
        return TokenizerDefinition(
            model: .characters(CharacterModel()), vocabulary: TokenTable(symbols.map { Array(($0 ?? "").utf8) }),
            addedTokens: [],
            prefix: [], suffix: [], padID: 0, maxLength: 310)
    }
}
