/// Why a rater's answers do not count.
public struct Exclusion: Sendable, Equatable, Encodable {
    /// The rater's name.
    public let rater: String
    /// Why, one phrase each; at least one.
    public let reasons: [String]

    /// Faults that a rater is left out for.
    struct Rules {
        /// More wrong traps than this share.
        var wrongTraps = 0.34
        /// More wrong gold items than this share.
        var wrongGold = 0.5
        /// Answers to a question that are all the same, from this number on.
        var sameAnswers = 10
        /// Under this number of seconds at the median, answers come too fast to be thought of.
        var fastest = 0.25
        /// Hidden references under this rating in more than `missedShare` of MUSHRA's pages (ITU-R BS.1534-3, 4.1.2).
        var hiddenReference = 90.0
        var missedShare = 0.15
    }

    /// - Returns: nil for a rater whose answers count.
    init?(_ rater: RaterAnswers, key: ListeningTestKey, rules: Rules = Rules()) {
        var reasons: [String] = []
        let answers = rater.answers.compactMap { answer in key.clips[answer.clip].map { (answer, clip: $0) } }
        func wrong(_ role: Clip.Role) -> (wrong: Int, of: Int) {
            let checks = answers.filter { $0.clip.role == role }
            let wrong = checks.count { answer, clip in !(clip.expected?.contains(answer.rating) ?? true) }
            return (wrong, checks.count)
        }
        let headphones = wrong(.headphones)
        if headphones.of > 0, headphones.of - headphones.wrong < key.headphonesNeeded {
            reasons.append(
                "headphones: \(headphones.of - headphones.wrong) of \(headphones.of) right, \(key.headphonesNeeded) needed"
            )
        }
        for (role, name, share) in [
            (Clip.Role.trap, "beeps", rules.wrongTraps), (.gold, "items with a known answer", rules.wrongGold),
        ] {
            let (wrong, count) = wrong(role)
            if count > 0, Double(wrong) > share * Double(count) {
                reasons.append("\(name): \(wrong) of \(count) wrong")
            }
        }
        for question in key.questions where question != .mushra {
            let given = answers.filter { $0.0.question == question.rawValue && $0.clip.role == .test }.map(\.0)
            if given.count >= rules.sameAnswers, Set(given.map(\.rating)).count == 1 {
                reasons.append("\(question.rawValue): the same answer to all \(given.count) sounds")
            }
            let times = given.map(\.seconds).sorted()
            if times.count >= rules.sameAnswers, times[times.count / 2] < rules.fastest {
                reasons.append("\(question.rawValue): answers after \(times[times.count / 2]) s at the median")
            }
        }
        let hidden = answers.filter { answer, clip in
            answer.question == Question.mushra.rawValue && clip.role == .test
                && clip.condition.flatMap { key.conditions.indices.contains($0) ? key.conditions[$0].kind : nil }
                    == .reference
        }
        let missed = hidden.count { $0.0.rating < rules.hiddenReference }
        if Double(missed) > rules.missedShare * Double(hidden.count) {
            reasons.append("the hidden reference is rated below 90 on \(missed) of \(hidden.count) pages")
        }
        guard !reasons.isEmpty else { return nil }
        (self.rater, self.reasons) = (rater.rater, reasons)
    }
}
