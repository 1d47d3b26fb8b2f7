/// A kind of sound that a model was trained on.
public struct SoundClass: Sendable, Hashable, Codable {
    /// Short: `cow`.
    public let name: String
    /// A prompt for it, as training had them: `a cow mooing`.
    public let phrase: String
}

/// What a model was trained on: its classes of sounds, and the words of its captions.
///
///     pipeline.vocabulary?.unknownWords(in: "a zebra")  // ["zebra"]
///     pipeline.vocabulary?.nearestClass(to: "zebra")?.phrase     // "a horse neighing"
///
/// Words are those of English, in any inflection. Numbers, single letters, words of other scripts, and words that say how
/// something sounds rather than what ("an angry", "nearby") are never unknown.
public struct PromptVocabulary: Sendable {
    /// In the order of the checkpoint's list.
    public let classes: [SoundClass]

    /// Words and pairs of words, in all forms that inflections of them share.
    private let learned: Set<String>
    private let qualities: Set<String>
    /// Words that only voices say, and the words that announce them.
    private let spoken, announcing: Set<String>
    /// Places in `classes`.
    private let nearest: [String: Int]

    init(_ file: VocabularyFile) {
        classes = file.classes.map { SoundClass(name: $0.name, phrase: $0.phrase) }
        learned = Set(file.words.flatMap(WordForms.inflected))
        qualities = Set(file.qualities)
        spoken = Set(file.speech.words.flatMap(WordForms.inflected))
        announcing = Set(file.speech.verbs)
        let near = file.classes.enumerated().flatMap { place, sound in sound.near.map { ($0, place) } }
        nearest = Dictionary(near, uniquingKeysWith: { first, _ in first })
    }

    /// Words that no caption of the training had, as the prompt has them, each once.
    public func unknownWords(in prompt: String) -> [String] {
        let words = PromptWord.words(of: prompt)
        let speaks = words.contains { announcing.contains($0.folded) }
        let pairs = zip(words, words.dropFirst()).map { isLearned($0.folded + " " + $1.folded) }
        var seen: Set<String> = []
        return words.enumerated().compactMap { place, word in
            guard word.counts, !isLearned(word.folded), !isQuality(word.folded) else { return nil }
            if speaks, has(spoken, word.folded) { return nil }
            // A big cat is known where a cat is not.
            if (place < pairs.count && pairs[place]) || (place > 0 && pairs[place - 1]) { return nil }
            return seen.insert(word.folded).inserted ? word.text : nil
        }
    }

    /// The class whose phrases mean what is nearest to a word.
    /// - Returns: nil for a word that is near to none, and for one that the list has not.
    public func nearestClass(to word: String) -> SoundClass? {
        let word = PromptWord.words(of: word).first?.folded ?? ""
        return WordForms.inflected(word).lazy.compactMap { nearest[$0] }.first.map { classes[$0] }
    }

    /// What to tell somebody whose prompt has words that were not learned; nil if it has none.
    public func note(on prompt: String) -> String? {
        let words = unknownWords(in: prompt)
        guard !words.isEmpty else { return nil }
        let shown = words.prefix(Self.mostShown)
        var near: [String] = []
        for phrase in shown.compactMap({ nearestClass(to: $0)?.phrase }) where !near.contains(phrase) {
            near.append(phrase)
        }
        return "the model has not learned \(Self.list(shown))\(words.count > shown.count ? " …" : "")"
            + (near.isEmpty
                ? ", and none of its sounds is near"
                : "; the nearest of its sounds \(near.count == 1 ? "is" : "are") \(Self.list(near))")
    }

    private static let mostShown = 5
    private static let longestShown = 40

    private static func list(_ texts: some Sequence<String>) -> String {
        texts.map { "\"\($0.prefix(longestShown))\($0.count > longestShown ? "…" : "")\"" }.joined(separator: ", ")
    }

    private func isLearned(_ word: String) -> Bool { has(learned, word) }

    private func isQuality(_ word: String) -> Bool {
        WordForms.declined(word).contains(where: qualities.contains)
            || WordForms.compared(word).contains { qualities.contains($0) || learned.contains($0) }
    }

    private func has(_ words: Set<String>, _ word: String) -> Bool {
        WordForms.inflected(word).contains(where: words.contains)
    }
}

extension AudioLDM2Pipeline {
    /// What the model was trained on; nil if its checkpoint does not say, as published ones don't.
    public var vocabulary: PromptVocabulary? { model.vocabulary }

    /// The kinds of sounds that the model was trained on; empty if its checkpoint does not say.
    public var soundClasses: [SoundClass] { vocabulary?.classes ?? [] }
}
