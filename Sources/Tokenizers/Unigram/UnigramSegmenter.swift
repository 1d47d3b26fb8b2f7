/// The most probable segmentation of a word into pieces, found by Viterbi over its bytes.
///
/// A character that is no piece may stand as unknown, at 10 less than the least probable piece. Of equally probable
/// segmentations the one found first stays, as in Hugging Face's `tokenizers`.
struct UnigramSegmenter: Sendable {
    private static let unknownPenalty = 10.0

    /// Pieces → ids; of two equal pieces the later counts.
    private let trie: ByteTrie
    private let scores: [Double]
    private let unknownID: Int
    private let unknownScore: Double

    init(_ model: UnigramModel, vocabulary: TokenTable) {
        var trie = ByteTrie(capacity: vocabulary.bytes.count / 2)
        for id in 0..<vocabulary.count { trie.insert(vocabulary[id], value: id) }
        self.trie = trie
        scores = model.scores
        unknownID = model.unknownID
        unknownScore = (model.scores.min() ?? 0) - Self.unknownPenalty
    }

    /// Ids of a word in UTF-8; neighbouring unknown characters share one.
    func ids(of word: [UInt8]) -> [Int] {
        let arrivals = arrivals(in: word)
        var ids: [Int] = []
        var unknownEnd: Int?
        var end = word.count
        func closeUnknown() {
            if let unknownEnd { ids.append(id(ofUnknown: word[end..<unknownEnd])) }
            unknownEnd = nil
        }
        // Walks back from the end, so that an unknown stretch is complete when a known piece or the start is met.
        while end > 0 {
            let arrival = arrivals[end]
            if arrival.id == unknownID {
                unknownEnd = unknownEnd ?? end
            } else {
                closeUnknown()
                ids.append(arrival.id)
            }
            end = arrival.start ?? 0
        }
        closeUnknown()
        return ids.reversed()
    }

    /// The reference looks pieces up by their text once they are joined.
    private func id(ofUnknown stretch: ArraySlice<UInt8>) -> Int { trie.value(of: stretch) ?? unknownID }

    /// By place in the word: the best way to reach it.
    private func arrivals(in word: [UInt8]) -> [Arrival] {
        var arrivals = Array(repeating: Arrival(), count: word.count + 1)
        var start = 0
        while start < word.count {
            let characterEnd = min(start + word[start].scalarLength, word.count)
            var characterIsPiece = false
            var node = ByteTrie.root
            var end = start
            while end < word.count, let next = trie.child(of: node, word[end]) {
                node = next
                end += 1
                guard let id = trie.value(at: node) else { continue }
                arrivals[end].improve(from: start, score: arrivals[start].score + scores[id], id: id)
                characterIsPiece = characterIsPiece || end == characterEnd
            }
            if !characterIsPiece {
                let score = arrivals[start].score + unknownScore
                arrivals[characterEnd].improve(from: start, score: score, id: unknownID)
            }
            start = characterEnd
        }
        return arrivals
    }
}

/// The last piece of the best segmentation up to some place.
private struct Arrival {
    var start: Int?
    var score = 0.0
    var id = 0

    mutating func improve(from start: Int, score: Double, id: Int) {
        guard self.start == nil || score > self.score else { return }
        self = Arrival(start: start, score: score, id: id)
    }
}

extension UInt8 {
    /// Bytes of the UTF-8 sequence that this byte begins.
    fileprivate var scalarLength: Int { Swift.max(1, (~self).leadingZeroBitCount) }
}
