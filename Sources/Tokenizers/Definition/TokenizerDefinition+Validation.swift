extension TokenizerDefinition {
    /// What messages call a definition that comes from no file.
    static let defaultSource = "tokenizer definition"

    /// Checks that ids and counts of the parts fit each other.
    ///
    /// - Parameter source: where the definition comes from, for messages.
    /// - Throws: `TokenizerError.invalidField`.
    func validate(source: String = defaultSource) throws(TokenizerError) {
        func check(_ holds: Bool, _ field: String, _ reason: @autoclosure () -> String) throws(TokenizerError) {
            guard holds else { throw .invalidField(file: source, field: field, reason: reason()) }
        }
        let ids = 0..<vocabulary.count
        let noSuchID = "an id is not in the vocabulary of \(ids.count)"
        try check(ids.count <= TokenTable.maximumCount, "vocabulary", "\(ids.count) tokens are too many")
        let addedIDs = Set(addedTokens.map(\.id))
        try check(
            addedTokens.allSatisfy { !$0.content.isEmpty && (0..<2 * TokenTable.maximumCount).contains($0.id) },
            "added tokens", "one is empty or has an id that cannot be")
        try check(
            (prefix + suffix + [padID]).allSatisfy { ids.contains($0) || addedIDs.contains($0) },
            "special tokens", noSuchID)
        try check(maxLength.map { (0...Int(Int32.max)).contains($0) } ?? true, "maximum length", "it cannot be used")
        switch model {
        case .bytePair(let model):
            try check(
                model.merges.allSatisfy { ids.contains($0.left) && ids.contains($0.right) && ids.contains($0.result) },
                "merges", noSuchID)
        case .unigram(let model):
            try check(model.scores.count == ids.count, "scores", "\(model.scores.count) for \(ids.count) tokens")
            try check(model.scores.allSatisfy(\.isFinite), "scores", "one is not finite")
            try check(ids.contains(model.unknownID), "id of unknown tokens", noSuchID)
        case .characters(let model):
            try check(
                [model.unknownID, model.blankID].compactMap(\.self).allSatisfy {
                    ids.contains($0) || addedIDs.contains($0)
                },
                "ids of unknown and blank symbols", noSuchID)
        }
    }
}
