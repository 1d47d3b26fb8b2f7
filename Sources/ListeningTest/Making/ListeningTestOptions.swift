/// How a listening test is to be.
public struct ListeningTestOptions: Sendable {
    public var title = "Listening test"
    public var kind = SoundKind.audio
    /// Asked one after the other, in this order.
    public var questions: [Question] = [.ovl, .rel]
    /// Orders that are made, rounded up to a multiple of the conditions: raters beyond begin again with the first.
    public var raters = 48
    /// Of how many of the conditions a rater hears each item; nil for all.
    public var rounds: Int?
    /// Practice items before each question.
    public var training = 3
    public var traps = 2
    public var gold = 2
    public var hasAnchors = true
    public var hasHeadphoneTest = true
    /// In LUFS; less if a clip would exceed −1 dB of full scale.
    public var loudness = -23.0
    public var seed: UInt32 = 1

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
