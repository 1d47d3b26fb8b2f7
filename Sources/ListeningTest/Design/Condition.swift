/// What is compared: a system's sounds, the recordings themselves, or an anchor of known badness.
public struct Condition: Sendable, Hashable, Codable {
    /// What kind of thing is compared.
    public enum Kind: String, Sendable, Codable {
        /// Sounds that are judged.
        case system
        /// The real recordings, hidden among the others.
        case reference
        /// Recordings, or where there are none the first system's sounds, without what lies above 3.5 kHz or 7 kHz.
        case lowAnchor, middleAnchor

        var cutoff: Double? {
            switch self {
            case .lowAnchor: 3500
            case .middleAnchor: 7000
            case .system, .reference: nil
            }
        }
    }

    /// What results call it.
    public let name: String
    /// What kind of thing it is.
    public let kind: Kind

    /// A condition of a name and a kind.
    public init(name: String, kind: Kind) { (self.name, self.kind) = (name, kind) }
}

/// What a clip of a test is. Raters' pages know it by an opaque name alone.
public struct Clip: Sendable, Codable, Equatable {
    /// What a clip is there for.
    public enum Role: String, Sendable, Codable {
        /// Its ratings count.
        case test
        /// For practice.
        case training
        /// Beeps that are to be counted.
        case trap
        /// An answer is known to be right.
        case gold
        /// A trial of the test for headphones.
        case headphones
        /// Open, beside the sliders of MUSHRA.
        case openReference = "open_reference"
    }

    /// What the clip is there for.
    public var role: Role
    /// A number of `ListeningTestKey.conditions`; nil for clips of no condition.
    public var condition: Int?
    /// The sounds' common name.
    public var item: String?
    /// The text that the sound was made of; nil if it is not known.
    public var prompt: String?
    /// Answers that are right.
    public var expected: ClosedRange<Double>?

    /// A clip, with each field as said at its property.
    public init(
        role: Role, condition: Int? = nil, item: String? = nil, prompt: String? = nil,
        expected: ClosedRange<Double>? = nil
    ) {
        (self.role, self.condition, self.item, self.prompt, self.expected) = (role, condition, item, prompt, expected)
    }
}

/// What only those who made a test know: which clip is what.
public struct ListeningTestKey: Sendable, Codable {
    /// Identity of the test, in hexadecimal digits, which answers repeat.
    public var test: String
    /// The test's title, for people.
    public var title: String
    /// What is asked, in this order.
    public var questions: [Question]
    /// What is compared.
    public var conditions: [Condition]
    /// All clips, by the opaque names of their files.
    public var clips: [String: Clip]
    /// Loudness of every clip, in LUFS.
    public var loudness: Double
    /// Right answers of the headphone trials that make a rater one with headphones.
    public var headphonesNeeded: Int
    /// How many different orders of trials the page holds.
    public var orders: Int
    /// Seed that the orders and checks were drawn with.
    public var seed: UInt32

    /// A key, with each field as said at its property.
    public init(
        test: String = "", title: String = "", questions: [Question], conditions: [Condition], clips: [String: Clip],
        loudness: Double = 0, headphonesNeeded: Int = 0, orders: Int = 1, seed: UInt32 = 0
    ) {
        (self.test, self.title, self.questions, self.conditions) = (test, title, questions, conditions)
        (self.clips, self.loudness, self.headphonesNeeded) = (clips, loudness, headphonesNeeded)
        (self.orders, self.seed) = (orders, seed)
    }
}
