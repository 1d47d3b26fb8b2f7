/// The merges of a byte-pair model, and their application to one word.
///
/// The neighbours that merge first are those of the merge that comes first, the leftmost of several. A heap of
/// candidates over a linked list makes that O(n log n) for a word of n bytes.
struct BytePairMerger: Sendable {
    private let merges: [BytePairModel.Merge]
    /// (left, right) → index in `merges`; of two merges of one pair the later counts.
    private var ranks: [UInt64: Int] = [:]

    init(_ merges: [BytePairModel.Merge]) {
        self.merges = merges
        ranks.reserveCapacity(merges.count)
        for (rank, merge) in merges.enumerated() { ranks[Self.key(merge.left, merge.right)] = rank }
    }

    func merged(_ ids: [Int]) -> [Int] {
        var word = LinkedWord(ids)
        var candidates = MinHeap((0..<max(0, ids.count - 1)).compactMap { candidate(at: $0, in: word) })
        while let candidate = candidates.popMin() {
            // What the candidate saw may have merged in the meantime.
            guard word.isAlive(candidate.position), let rank = rank(at: candidate.position, in: word),
                merges[rank].result == merges[candidate.rank].result
            else { continue }
            word.joinNext(at: candidate.position, to: merges[rank].result)
            if let previous = word.previous(of: candidate.position), let new = self.candidate(at: previous, in: word) {
                candidates.push(new)
            }
            if let new = self.candidate(at: candidate.position, in: word) { candidates.push(new) }
        }
        return word.remainingIDs
    }

    private func candidate(at position: Int, in word: LinkedWord) -> Candidate? {
        rank(at: position, in: word).map { Candidate(rank: $0, position: position) }
    }

    /// The merge of the id at a position and the next.
    private func rank(at position: Int, in word: LinkedWord) -> Int? {
        guard let next = word.next(of: position) else { return nil }
        return ranks[Self.key(word.ids[position], word.ids[next])]
    }

    private static func key(_ left: Int, _ right: Int) -> UInt64 { UInt64(left) << 32 | UInt64(right) }
}

/// A merge that was possible at a position when it was found.
private struct Candidate: Comparable {
    /// Rank above position: one number, so that one comparison orders both.
    private let order: UInt64

    init(rank: Int, position: Int) { order = UInt64(rank) << 32 | UInt64(position) }

    var rank: Int { Int(order >> 32) }
    var position: Int { Int(order & 0xFFFF_FFFF) }

    static func < (a: Self, b: Self) -> Bool { a.order < b.order }
}

/// Ids whose neighbours change as they join.
private struct LinkedWord {
    private(set) var ids: [Int]
    private var nextPositions: [Int]
    private var previousPositions: [Int]

    init(_ ids: [Int]) {
        self.ids = ids
        nextPositions = Array(1..<ids.count + 1)
        previousPositions = Array(-1..<ids.count - 1)
    }

    func next(of position: Int) -> Int? {
        let next = nextPositions[position]
        return next < ids.count ? next : nil
    }

    func previous(of position: Int) -> Int? {
        let previous = previousPositions[position]
        return previous >= 0 ? previous : nil
    }

    /// Whether the id at a position has not been joined to the one before it.
    func isAlive(_ position: Int) -> Bool { ids[position] >= 0 }

    /// Puts `id` in the place of the one at a position and of the next.
    mutating func joinNext(at position: Int, to id: Int) {
        guard let removed = next(of: position) else { return }
        ids[position] = id
        ids[removed] = -1
        nextPositions[position] = nextPositions[removed]
        if let following = next(of: position) { previousPositions[following] = position }
    }

    var remainingIDs: [Int] { ids.filter { $0 >= 0 } }
}
