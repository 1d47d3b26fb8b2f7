import Text

/// A word of a prompt.
struct PromptWord {
    /// As it was written.
    let text: String
    /// In lower case, without accents and `'s`.
    let folded: String

    /// Runs of letters, digits and apostrophes: what a hyphen joins is two words.
    static func words(of prompt: String) -> [PromptWord] {
        prompt.split { !($0.isLetter || $0.isNumber || apostrophes.contains($0)) }.compactMap { run in
            let text = run.trimmed(where: apostrophes.contains)
            let stem = text.split { apostrophes.contains($0) }.first.map(String.init) ?? ""
            let folded = stem.withoutMarks.lowercased()
            return folded.isEmpty ? nil : PromptWord(text: text, folded: folded)
        }
    }

    private static let apostrophes: Set<Character> = ["'", "’"]

    /// Whether it is a word that an English caption might have: neither a number nor a letter alone, nor of another script.
    var counts: Bool { folded.utf8.count > 1 && folded.utf8.allSatisfy { (0x61...0x7A).contains($0) } }
}

/// What a word may be an inflection of, by its ending alone. Some of what comes out is no word (`mooe` of `mooing`): it is
/// only compared with what comes out of other words.
enum WordForms {
    /// The word itself, and what it may be the plural, a form of the verb, or the adverb of: `hissing`, `hiss`, `hisse`.
    static func inflected(_ word: String) -> [String] {
        var forms = declined(word)
        if let stem = word.cut("ied") { forms.append(stem + "y") }
        if let stem = word.cut("ing", leaving: 2) ?? word.cut("ed") { forms += ofVerb(stem) }
        return forms
    }

    /// The word itself, and what it may be the plural, the third person or the adverb of.
    static func declined(_ word: String) -> [String] {
        var forms = [word]
        if let stem = word.cut("ies") ?? word.cut("ily") { forms.append(stem + "y") }
        if let stem = word.cut("es"), ["s", "x", "z", "ch", "sh", "o"].contains(where: stem.hasSuffix) {
            forms.append(stem)
        }
        if let stem = word.cut("s"), !stem.hasSuffix("s") { forms.append(stem) }
        if let stem = word.cut("ly") { forms.append(stem) }
        // "Women", "firemen".
        if word.hasSuffix("men"), word.utf8.count > 3 { forms.append(word.dropLast(2) + "an") }
        return forms
    }

    /// What an adjective may be the comparative or superlative of: `louder`, `loudest`.
    static func compared(_ word: String) -> [String] {
        if let stem = word.cut("ier") ?? word.cut("iest") { return [stem + "y"] }
        return (word.cut("er") ?? word.cut("est")).map(ofVerb) ?? []
    }

    /// With what its ending took away: `rumbl` as it is, `rumble`, and of `stopp` also `stop`.
    private static func ofVerb(_ stem: String) -> [String] {
        let last = stem.suffix(2)
        let isDoubled = last.first == last.last && last != "ss"
        return [stem, stem + "e"] + (isDoubled ? [String(stem.dropLast())] : [])
    }
}

extension String {
    /// Without an ending; nil if the word has another, or too little or no vowel is left.
    fileprivate func cut(_ ending: String, leaving least: Int = 3) -> String? {
        guard hasSuffix(ending), utf8.count - ending.utf8.count >= least else { return nil }
        let stem = String(dropLast(ending.count))
        return stem.contains(where: "aeiouy".contains) ? stem : nil
    }
}
