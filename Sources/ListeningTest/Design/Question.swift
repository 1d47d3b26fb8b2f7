/// What raters are asked.
public enum Question: String, Sendable, Codable, CaseIterable {
    /// Overall quality.
    case ovl = "OVL"
    /// Relevance to the text.
    case rel = "REL"
    /// Naturalness of speech.
    case mos = "MOS"
    /// Quality beside an open reference, 0…100 (ITU-R BS.1534).
    case mushra = "MUSHRA"

    /// Answers that can be given.
    public var range: ClosedRange<Double> { self == .mushra ? 0...100 : 1...5 }
}

/// What the sounds are called in questions.
public enum SoundKind: String, Sendable, Codable, CaseIterable {
    /// "music", "audio" or "speech".
    case music, audio, speech

    /// In the middle of a sentence.
    var noun: String { self == .music ? "music" : self == .audio ? "audio" : "speech" }
}

/// A question as the page shows it.
struct PageQuestion: Codable, Sendable {
    let name: String
    let heading: String
    let text: String
    let introduction: [String]
    /// Value and words, best first.
    let labels: [Label]
    let mushra: Bool

    struct Label: Codable, Sendable {
        let value: Int
        let words: String

        func encode(to encoder: any Encoder) throws {
            var container = encoder.unkeyedContainer()
            try container.encode(value)
            try container.encode("\(value)  \(words)")
        }

        init(_ value: Int, _ words: String) { (self.value, self.words) = (value, words) }

        init(from decoder: any Decoder) throws {
            var container = try decoder.unkeyedContainer()
            value = try container.decode(Int.self)
            words = String(try container.decode(String.self).dropFirst(3))
        }
    }

    private static let quality = [
        Label(5, "Excellent"), Label(4, "Good"), Label(3, "Fair"), Label(2, "Poor"), Label(1, "Bad"),
    ]

    /// Word for word those of the AudioLDM papers' own tests.
    init(_ question: Question, kind: SoundKind) {
        name = question.rawValue
        mushra = question == .mushra
        switch question {
        case .ovl:
            heading = "Overall quality"
            text =
                "How would you rate the overall quality of this \(kind.noun)? Consider its resemblance to real-world audio and its naturalness."
            introduction = [
                "In this part you hear one sound at a time and say how good it is, whatever it may be of.",
                "The first sounds are for practice and show how different the sounds can be.",
            ]
            labels = Self.quality
        case .rel:
            heading = "Relevance to the text"
            text = "How would you rate the relevance of \(kind.noun) to the text description?"
            introduction = [
                "In this part a text stands above each sound. Say how well the sound fits the text, however good or bad it sounds.",
                "The first sounds are for practice.",
            ]
            labels = Self.quality
        case .mos:
            heading = "Naturalness"
            text =
                "How natural does this recording sound? Take into account emotion, prosody, and other human-like details."
            introduction = [
                "In this part you hear one recording of speech at a time and say how natural it sounds.",
                "The first recordings are for practice.",
            ]
            labels = [
                Label(5, "Perfectly natural speech"), Label(4, "Mostly natural speech"),
                Label(3, "Equally natural and unnatural speech"), Label(2, "Mostly unnatural speech"),
                Label(1, "Completely unnatural speech"),
            ]
        case .mushra:
            heading = "Comparison with a reference"
            text =
                "How good is each sound compared with the reference? One of them is the reference itself and should be rated 100."
            introduction = [
                "In this part you hear several versions of a sound and rate each beside the open reference. Play them as often as you like: each goes on where the last one was.",
                "The first page is for practice.",
            ]
            labels = []
        }
    }
}
