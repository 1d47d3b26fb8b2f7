/// How a listening test is to be.
public struct ListeningTestOptions: Sendable {
    /// The page's title; not empty.
    public var title = "Listening test"
    /// What the sounds are called in questions.
    public var kind = SoundKind.audio
    /// Questions, asked one after the other in this order.
    public var questions: [Question] = [.ovl, .rel]
    /// Orders that are made, rounded up to a multiple of the conditions: raters beyond begin again with the first.
    public var raters = 48
    /// How many of the conditions a rater hears each item of; nil for all.
    public var rounds: Int?
    /// Practice items before each question.
    public var training = 3
    /// Sounds of beeps that are to be counted, for each rater and question; 0 to 20.
    public var traps = 2
    /// Sounds with an answer that is known to be right, for each rater and question; 0 to 20.
    public var gold = 2
    /// Whether each item is also rated without what lies above 3.5 kHz, and 7 kHz.
    public var hasAnchors = true
    /// Whether raters are first asked what only headphones let them hear.
    public var hasHeadphoneTest = true
    /// Loudness of every clip, in LUFS, −60 to −5; less if a clip would exceed −1 dB of full scale.
    public var loudness = -23.0
    /// Seed of all random draws: the same makes the same test.
    public var seed: UInt32 = 1

    /// Options for a test of sounds: quality and relevance, 48 orders.
    public init() {}

    /// - Throws: `ListeningTestError.options`.
    func validate() throws {
        func require(_ condition: Bool, _ what: String) throws {
            guard condition else { throw ListeningTestError.options(what) }
        }
        try require(!questions.isEmpty, "no question is asked: choose ovl, rel, mos or mushra")
        try require(Set(questions).count == questions.count, "a question is asked twice")
        try require(
            !questions.contains(.mushra) || questions.count == 1, "MUSHRA is a test of its own: ask no other question")
        try require((1...10_000).contains(raters), "\(raters) orders: choose 1 to 10000")
        try require(rounds.map { $0 > 0 } ?? true, "a rater hears each item at least once: choose 1 or more rounds")
        for (name, count) in [("practice items", training), ("traps", traps), ("gold items", gold)] {
            try require((0...20).contains(count), "\(count) \(name): choose 0 to 20")
        }
        try require((-60...(-5)).contains(loudness), "\(loudness) LUFS: choose −60 to −5")
        try require(!title.isEmpty, "the title is empty")
    }
}
