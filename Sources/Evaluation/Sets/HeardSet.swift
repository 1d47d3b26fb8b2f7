/// What a judge made of one sound.
public struct HeardSound: Sendable, Equatable {
    /// The sound.
    public let item: SoundSet.Item
    /// What the judge made of it, `[rows, width]`.
    public let embeddings: Embeddings
    /// A row a window; nil of a judge that names no classes.
    public let logits: Embeddings?
    /// True if all its samples are zero.
    public let isSilent: Bool

    /// A sound with what was made of it, each as said at its property.
    public init(item: SoundSet.Item, embeddings: Embeddings, logits: Embeddings? = nil, isSilent: Bool = false) {
        (self.item, self.embeddings, self.logits, self.isSilent) = (item, embeddings, logits, isSilent)
    }
}

/// What a judge made of a set.
public struct HeardSet: Sendable {
    /// A sound that could not be heard.
    public struct Damaged: Sendable, Equatable, Codable {
        /// The sound's path.
        public let file: String
        /// Why it could not, without the path.
        public let reason: String
    }

    /// The set, as it was given.
    public let path: String
    /// Without sounds' embeddings if they were not to be kept.
    public let sounds: [HeardSound]
    /// Mean and covariance of all embeddings.
    public let statistics: EmbeddingStatistics
    /// Sounds that were heard.
    public let fileCount: Int
    /// Sounds that could not be.
    public let damaged: [Damaged]
    /// Paths of sounds whose samples are all zero.
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
    /// Who hears.
    public let judge: any Judge
    /// How sounds are prepared and cut.
    public let rules: EvaluationProtocol
    /// Where what was heard is kept for the next time; nil for nowhere.
    public let journal: EmbeddingJournal?
    /// Whether embeddings of each sound stay in memory, 4 bytes a number: all metrics but the Fréchet distance need them.
    public let keepsSounds: Bool

    /// Windows that the judge hears at a time, and sounds that wait for them at most: what is in memory.
    private static let windowsAtOnce = 16
    private static let soundsAtOnce = 64

    /// A listener, with each setting as said at its property.
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
        var waiting: [Waiting] = []
        func hearWaiting() throws {
            for sound in try hear(waiting) {
                switch sound.outcome {
                case .failure(let error):
                    damaged.append(.init(file: sound.item.path, reason: Self.reason(error, sound.item.path)))
                case .success(let heard):
                    try statistics.add(heard.embeddings)
                    count += 1
                    if heard.isSilent { silent.append(sound.item.path) }
                    if keepsSounds { sounds.append(heard) }
                }
            }
            waiting = []
        }
        for (place, item) in set.items.enumerated() {
            try progress(place)
            waiting.append(prepare(item))
            if waiting.count == Self.soundsAtOnce
                || waiting.reduce(0, { $0 + $1.starts.count }) >= Self.windowsAtOnce
            {
                try hearWaiting()
            }
        }
        try hearWaiting()
        try progress(set.items.count)
        guard count > 0 else {
            let first = damaged.first.map { "; of \($0.file): \($0.reason)" } ?? ""
            throw EvaluationError.set("\(set.path): none of its \(set.items.count) sounds could be heard\(first)")
        }
        return HeardSet(
            path: set.path, sounds: sounds, statistics: statistics.finished(), fileCount: count, damaged: damaged,
            silent: silent)
    }

    /// A sound that is read and not heard yet, or whose outcome is known.
    private struct Waiting {
        let item: SoundSet.Item
        var samples: [Float] = []
        /// Of its windows.
        var starts: [Int] = []
        var isSilent = false
        var outcome: Result<HeardSound, any Error>?
    }

    private func prepare(_ item: SoundSet.Item) -> Waiting {
        if let heard = journal?.heard(item) { return Waiting(item: item, outcome: .success(heard)) }
        do {
            let sound = try rules.read(
                item.path, sampleRate: judge.sampleRate, intermediateRate: judge.intermediateRate(rules))
            let starts = judge.windows(rules).starts(samples: sound.samples.count)
            guard !starts.isEmpty else {
                throw EvaluationError.file(path: item.path, reason: "too short for \(judge.identity.name)")
            }
            return Waiting(item: item, samples: sound.samples, starts: starts, isSilent: sound.isSilent)
        } catch {
            return Waiting(item: item, outcome: .failure(error))
        }
    }

    private func hear(
        _ waiting: [Waiting]
    ) throws -> [(item: SoundSet.Item, outcome: Result<HeardSound, any Error>)] {
        let rule = judge.windows(rules)
        let windows = waiting.enumerated().flatMap { place, sound in sound.starts.map { (place: place, start: $0) } }
        var parts = [[Heard]](repeating: [], count: waiting.count)
        var unheard: Set<Int> = []
        for first in stride(from: 0, to: windows.count, by: Self.windowsAtOnce) {
            let part = windows[first..<min(first + Self.windowsAtOnce, windows.count)]
            let samples = part.map { rule.window(of: waiting[$0.place].samples, at: $0.start) }
            for (window, heard) in zip(part, try hear(samples)) {
                if let heard { parts[window.place].append(heard) } else { unheard.insert(window.place) }
            }
        }
        return try waiting.indices.map { place in
            let (sound, parts) = (waiting[place], parts[place])
            if let outcome = sound.outcome { return (sound.item, outcome) }
            guard !unheard.contains(place) else {
                let reason = "\(judge.identity.name) makes numbers of it that are infinite or none"
                return (sound.item, .failure(EvaluationError.notFinite(reason)))
            }
            do {
                let heard = try join(parts, sound.item, isSilent: sound.isSilent)
                try journal?.append(heard)
                return (sound.item, .success(heard))
            } catch let error as EvaluationError {
                // A cache that cannot be written ends the work; numbers that are none are this sound's fault.
                if case .notFinite = error { return (sound.item, .failure(error)) }
                throw error
            }
        }
    }

    /// - Returns: nil for windows that the judge makes no finite numbers of.
    private func hear(_ windows: [[Float]]) throws -> [Heard?] {
        do {
            return try judge.hear(windows)
        } catch EvaluationError.notFinite where windows.count > 1 {
            return try windows.flatMap { try hear([$0]) }
        } catch EvaluationError.notFinite {
            return [nil]
        }
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
