/// What a judge made of one sound.
public struct HeardSound: Sendable, Equatable {
    public let item: SoundSet.Item
    public let embeddings: Embeddings
    /// A row a window; nil of a judge that names no classes.
    public let logits: Embeddings?
    /// True if all its samples are zero.
    public let isSilent: Bool

    public init(item: SoundSet.Item, embeddings: Embeddings, logits: Embeddings? = nil, isSilent: Bool = false) {
        (self.item, self.embeddings, self.logits, self.isSilent) = (item, embeddings, logits, isSilent)
    }
}

/// What a judge made of a set.
public struct HeardSet: Sendable {
    public struct Damaged: Sendable, Equatable, Codable {
        public let file: String
        public let reason: String
    }

    public let path: String
    /// Without sounds' embeddings if they were not to be kept.
    public let sounds: [HeardSound]
    public let statistics: EmbeddingStatistics
    /// Sounds that were heard.
    public let fileCount: Int
    /// Sounds that could not be.
    public let damaged: [Damaged]
    public let silent: [String]

    /// Statistics of a file stand for a set whose sounds are not known.
    public init(_ file: StatisticsFile, path: String) {
        (self.path, statistics, fileCount) = (path, file.statistics, file.header.files)
        (sounds, damaged, silent) = ([], [], [])
    }

    init(
        path: String, sounds: [HeardSound], statistics: EmbeddingStatistics, fileCount: Int, damaged: [Damaged],
        silent: [String]
    ) {
        (self.path, self.sounds, self.statistics) = (path, sounds, statistics)
        (self.fileCount, self.damaged, self.silent) = (fileCount, damaged, silent)
    }

    /// All rows, sound by sound; nil of a set whose sounds were not kept.
    var embeddings: Embeddings? { get throws { try sounds.isEmpty ? nil : Self.join(sounds.map(\.embeddings)) } }

    static func join(_ parts: [Embeddings]) throws -> Embeddings? {
        guard let width = parts.first?.width else { return nil }
        var whole = try Embeddings(width: width)
        for part in parts { try whole.append(part) }
        return whole
    }
}

/// Hears sets, sound by sound.
public struct SetListener: Sendable {
    public let judge: any Judge
    public let rules: EvaluationProtocol
    /// Where what was heard is kept for the next time; nil for nowhere.
    public let journal: EmbeddingJournal?
    /// Whether embeddings of each sound stay in memory, 4 bytes a number: all metrics but the Fréchet distance need them.
    public let keepsSounds: Bool

    /// Sounds that are read before the judge hears them.
    private static let together = 16

    public init(
        _ judge: any Judge, _ rules: EvaluationProtocol, journal: EmbeddingJournal? = nil, keepsSounds: Bool = true
    ) {
        (self.judge, self.rules, self.journal, self.keepsSounds) = (judge, rules, journal, keepsSounds)
    }

    /// - Parameter progress: how many sounds are done. What it throws ends the work; what was heard stays in the journal.
    /// - Throws: `EvaluationError` if no sound could be heard.
    public func hear(_ set: SoundSet, progress: (_ done: Int) throws -> Void = { _ in }) throws -> HeardSet {
        var sounds: [HeardSound] = []
        var statistics = EmbeddingStatistics(width: judge.width)
        var damaged: [HeardSet.Damaged] = []
        var silent: [String] = []
        var count = 0
        for start in stride(from: 0, to: set.items.count, by: Self.together) {
            try progress(start)
            let items = Array(set.items[start..<min(start + Self.together, set.items.count)])
            let outcomes = try hear(items)
            for (item, outcome) in zip(items, outcomes) {
                switch outcome {
                case .failure(let error): damaged.append(.init(file: item.path, reason: Self.reason(error, item.path)))
                case .success(let heard):
                    try statistics.add(heard.embeddings)
                    count += 1
                    if heard.isSilent { silent.append(item.path) }
                    if keepsSounds { sounds.append(heard) }
                }
            }
        }
        try progress(set.items.count)
        guard count > 0 else {
            let first = damaged.first.map { "; of \($0.file): \($0.reason)" } ?? ""
            throw EvaluationError.set("\(set.path): none of its \(set.items.count) sounds could be heard\(first)")
        }
        return HeardSet(
            path: set.path, sounds: sounds, statistics: statistics.finished(), fileCount: count, damaged: damaged,
            silent: silent)
    }

    private func hear(_ items: [SoundSet.Item]) throws -> [Result<HeardSound, any Error>] {
        var outcomes: [Result<HeardSound, any Error>?] = items.map { item in
            journal?.heard(item).map { .success($0) }
        }
        var windows: [(place: Int, count: Int, isSilent: Bool)] = []
        var samples: [[Float]] = []
        for (place, item) in items.enumerated() where outcomes[place] == nil {
            do {
                let sound = try rules.read(
                    item.path, sampleRate: judge.sampleRate, intermediateRate: judge.intermediateRate(rules))
                let cut = judge.windows(rules).cut(sound.samples)
                guard !cut.isEmpty else {
                    throw EvaluationError.file(path: item.path, reason: "too short for \(judge.identity.name)")
                }
                windows.append((place, cut.count, sound.isSilent))
                samples += cut
            } catch {
                outcomes[place] = .failure(error)
            }
        }
        let heard = try samples.isEmpty ? [] : judge.hear(samples)
        var next = 0
        for (place, count, isSilent) in windows {
            let parts = heard[next..<next + count]
            next += count
            do {
                let sound = try join(Array(parts), items[place], isSilent: isSilent)
                try journal?.append(sound)
                outcomes[place] = .success(sound)
            } catch let error as EvaluationError {
                // A cache that cannot be written ends the work; numbers that are none are this sound's fault.
                if case .notFinite = error { outcomes[place] = .failure(error) } else { throw error }
            }
        }
        return outcomes.map { $0 ?? .failure(EvaluationError.set("it was not heard")) }
    }

    private func join(_ parts: [Heard], _ item: SoundSet.Item, isSilent: Bool) throws -> HeardSound {
        guard var embeddings = try HeardSet.join(parts.map(\.embeddings)), embeddings.width == judge.width else {
            throw EvaluationError.shape("\(judge.identity.name) gave embeddings of another width than it said")
        }
        if rules.roundsToHalf { embeddings = try embeddings.roundedToHalf() }
        return HeardSound(
            item: item, embeddings: embeddings, logits: try HeardSet.join(parts.compactMap(\.logits)),
            isSilent: isSilent)
    }

    /// Errors name their file, and so does whoever lists them.
    private static func reason(_ error: any Error, _ path: String) -> String {
        let text = "\(error)"
        return text.hasPrefix(path + ": ") ? String(text.dropFirst(path.count + 2)) : text
    }
}
