import Evaluation
import Foundation
import ListeningTest
import TestSupport
import Testing

@Suite struct AnalysisTests {
    /// Against scipy.stats.t.
    @Test func studentsDistributionIsScipys() {
        for (level, degrees, expected) in [
            (0.95, 10.0, 2.228138851964939), (0.95, 1, 12.706204736432095), (0.99, 3.5, 5.085702223091256),
            (0.95, 1e6, 1.959966356814107),
        ] {
            let found = StudentT.quantile(twoSided: level, degrees: degrees)
            #expect(abs(found - expected) < 1e-6 * expected, "\(found)")
            #expect(abs(StudentT.twoSided(found, degrees: degrees) - (1 - level)) < 1e-9)
        }
        #expect(abs(StudentT.twoSided(2, degrees: 7.5) - 0.08289699529816631) < 1e-12)
        #expect(StudentT.twoSided(0, degrees: 4) == 1 && StudentT.twoSided(.infinity, degrees: 4) == 0)
    }

    @Test func holmsCorrection() {
        let values = ListeningReport.holm([0.01, 0.04, nil, 0.03, 0.005])
        for (found, expected) in zip(values, [0.03, 0.06, nil, 0.06, 0.02] as [Double?]) {
            #expect((found ?? -1).isNear(expected ?? -1))
        }
        #expect(ListeningReport.holm([0.6, 0.7]) == [1, 1])
    }

    @Test func tablesAreReadAsSpreadsheetsWriteThem() {
        let rows = CommaSeparated.rows(of: "\u{FEFF}a,b\r\n1,\"x, \"\"y\"\"\nz\"\r\n\r\n\"\",2")
        #expect(rows.map(\.fields) == [["a", "b"], ["1", "x, \"y\"\nz"], ["", "2"]])
        #expect(rows.map(\.line) == [1, 2, 5])
    }

    /// Of one rater there is no interval; of raters who all say the same, one of no width and no p-value.
    @Test func littleIsSaidOfLittle() throws {
        let one = try #require(CrossedMean([.init(rater: 0, item: 0, value: 3), .init(rater: 0, item: 1, value: 4)]))
        #expect(one.mean == 3.5 && one.interval == nil && one.bootstrap == nil && one.pValue == nil)
        let same = try #require(CrossedMean((0..<6).map { .init(rater: $0 % 3, item: $0 / 3, value: 2) }))
        #expect(same.interval == Interval(low: 2, high: 2) && same.pValue == nil)
        #expect(CrossedMean([]) == nil)
    }

    // MARK: Simulated panels

    private struct Panel {
        static let truth = [3.4, 3.0, 3.0]
        static let (raters, items) = (16, 12)
        let key: ListeningTestKey
        var answers: [RaterAnswers] = []

        /// Raters and items each lean one way; what is left is dithered to whole numbers, which keeps means.
        init(_ random: inout NumPyRandom) {
            var clips: [String: Clip] = [:]
            for condition in Self.truth.indices {
                for item in 0..<Self.items {
                    clips["\(condition)-\(item)"] = Clip(condition: condition, item: "\(item)")
                }
            }
            key = ListeningTestKey(
                questions: [.ovl], conditions: Self.truth.indices.map { .init(name: "\($0)", kind: .system) },
                clips: clips)
            func normal() -> Double { (0..<12).reduce(-6) { sum, _ in sum + random.uniform() } }
            let systems = Self.truth.map { truth in
                (
                    truth: truth, byItem: (0..<Self.items).map { _ in 0.25 * normal() },
                    byRater: (0..<Self.raters).map { _ in 0.3 * normal() }
                )
            }
            for rater in 0..<Self.raters {
                let lean = 0.2 * normal()
                var given: [RaterAnswers.Answer] = []
                for (condition, system) in systems.enumerated() {
                    for item in 0..<Self.items {
                        let value = system.truth + lean + system.byItem[item] + system.byRater[rater] + 0.5 * normal()
                        let rating = min(max((value + random.uniform()).rounded(.down), 1), 5)
                        given.append(.init(question: "OVL", clip: "\(condition)-\(item)", rating: rating, seconds: 2))
                    }
                }
                answers.append(RaterAnswers(rater: "\(rater)", answers: given))
            }
        }
    }

    /// Nineteen in twenty intervals hold the known means and differences; of equal systems hardly more than one in twenty is
    /// called different.
    @Test func intervalsOfSimulatedPanelsHoldTheKnownMeans() throws {
        var random = NumPyRandom(seed: 11)
        let panels = 250
        var (byT, byBootstrap, byDifference, wrong, found, total) = (0, 0, 0, 0, 0, 0)
        for _ in 0..<panels {
            let panel = Panel(&random)
            let report = try ListeningReport(panel.answers, key: panel.key, draws: 200)
            let part = report.questions[0]
            for score in part.scores {
                let truth = Panel.truth[try #require(Int(score.condition.name))]
                let (t, bootstrap) = (try #require(score.score.interval), try #require(score.score.bootstrap))
                byT += (t.low...t.high).contains(truth) ? 1 : 0
                byBootstrap += (bootstrap.low...bootstrap.high).contains(truth) ? 1 : 0
                total += 1
            }
            for pair in part.comparisons {
                let truth = Panel.truth[try #require(Int(pair.first))] - Panel.truth[try #require(Int(pair.second))]
                let interval = try #require(pair.difference.interval)
                byDifference += (interval.low...interval.high).contains(truth) ? 1 : 0
                let isCalled = try #require(pair.adjustedPValue) < 0.05
                if truth == 0 { wrong += isCalled ? 1 : 0 } else { found += isCalled ? 1 : 0 }
            }
        }
        func rate(_ count: Int, _ of: Int) -> Double { Double(count) / Double(of) }
        let rates =
            "t \(rate(byT, total)), bootstrap \(rate(byBootstrap, total)), differences \(rate(byDifference, total)), "
            + "wrong \(rate(wrong, panels)), found \(rate(found, 2 * panels))"
        #expect((0.93...0.975).contains(rate(byT, total)), "\(rates)")
        #expect((0.93...0.99).contains(rate(byBootstrap, total)), "\(rates)")
        #expect((0.93...0.975).contains(rate(byDifference, total)), "\(rates)")
        #expect(rate(wrong, panels) < 0.07, "\(rates)")
        #expect(rate(found, 2 * panels) > 0.5, "\(rates)")
    }

    /// Where a rater hears an item of one system only, raters' means are compared.
    @Test func partsOfDesignsAreComparedByRaters() throws {
        var random = NumPyRandom(seed: 3)
        let panel = Panel(&random)
        let halves = panel.answers.enumerated().map { rater, answers in
            RaterAnswers(
                rater: answers.rater,
                answers: answers.answers.filter { answer in
                    let parts = answer.clip.split(separator: "-").compactMap { Int($0) }
                    return parts[0] == (parts[1] + rater) % 3
                })
        }
        let part = try ListeningReport(halves, key: panel.key, draws: 50).questions[0]
        #expect(part.comparisons.count == 3 && part.comparisons.allSatisfy { $0.paired == .raters && $0.pValue != nil })
        #expect(part.scores.allSatisfy { $0.score.ratings == 64 })
    }

    // MARK: Exclusions

    @Test func ratersWhoFailChecksAreLeftOutWithReasons() throws {
        let material = try TestMaterial()
        let (_, key, page) = try material.make()
        func answers(_ rater: String, _ rating: (Clip, String) -> Double, seconds: Double = 2) -> RaterAnswers {
            let trials =
                page.orders[0].flatMap { block in
                    block.trials.compactMap(\.clip).map { (page.questions[block.question].name, $0) }
                } + page.headphones.map { ("HEADPHONES", $0) }
            return RaterAnswers(
                rater: rater,
                answers: trials.compactMap { question, clip in
                    guard let known = key.clips[clip], known.role != .training else { return nil }
                    return .init(question: question, clip: clip, rating: rating(known, question), seconds: seconds)
                })
        }
        func right(_ clip: Clip, _ question: String) -> Double {
            clip.expected?.lowerBound ?? Double(1 + (clip.condition ?? 0))
        }
        let panel = [
            answers("good", right),
            answers("speakers") { clip, question in
                clip.role == .headphones ? clip.expected?.lowerBound == 1 ? 2 : 1 : right(clip, question)
            },
            answers("deaf") { clip, question in clip.role == .trap ? 1 : right(clip, question) },
            answers("careless") { clip, question in clip.role == .gold ? 5 : right(clip, question) },
            answers("constant") { clip, question in clip.expected?.lowerBound ?? 4 },
            answers("hasty", right, seconds: 0.1),
        ]
        let report = try ListeningReport(panel, key: key, draws: 10)
        #expect(report.raters == 1)
        let reasons = Dictionary(
            uniqueKeysWithValues: report.excluded.map { ($0.rater, $0.reasons.joined(separator: "; ")) })
        #expect(reasons["good"] == nil)
        for (rater, word) in [
            ("speakers", "headphones"), ("deaf", "beeps"), ("careless", "known answer"),
            ("constant", "the same answer"),
            ("hasty", "0.1 s"),
        ] {
            #expect(reasons[rater]?.contains(word) == true, "\(rater): \(reasons[rater] ?? "")")
        }
        #expect(
            report.questions[0].scores.map(\.condition.kind) == [
                .middleAnchor, .lowAnchor, .reference, .system, .system,
            ])
        #expect(throws: ListeningTestError.self) { try ListeningReport(Array(panel.dropFirst()), key: key) }
    }

    // MARK: Files

    @Test func resultsComeFromFilesAndBadOnesAreNamed() throws {
        let material = try TestMaterial()
        let (_, key, page) = try material.make()
        let clip = try #require(page.orders[0][0].trials.first { $0.training != true }?.clip)
        let header = "test,rater,order,question,clip,rating,plays,seconds,training,at\n"
        let line = "\(page.id),7,1,OVL,\(clip),4,1,2.5,0,now\n"
        let file = try material.folder.write(header + line + line, to: "a.csv")
        let answers = try RaterAnswers.read([file, file], key: key)
        #expect(
            answers == [
                RaterAnswers(rater: "7", answers: [.init(question: "OVL", clip: clip, rating: 4, seconds: 2.5)])
            ])
        for (text, word) in [
            (header + "other,7,1,OVL,\(clip),4,1,2,0,now\n", "line 2"),
            (header + "\(page.id),7,1,OVL,nosuch,4,1,2,0,now\n", "nosuch"),
            (header + "\(page.id),7,1,OVL,\(clip),6,1,2,0,now\n", "6"),
            (header + "\(page.id),7,1,OVL,\(clip),nan,1,2,0,now\n", "nan"),
            (header + "\(page.id),7,1,MOS,\(clip),4,1,2,0,now\n", "MOS"), (header + "\(page.id),7\n", "2 columns"),
            ("a,b\n1,2\n", "columns"), ("", "columns"), (header + "\(page.id),,1,OVL,\(clip),4,1,2,0,now\n", "rater"),
        ] {
            let bad = try material.folder.write(text, to: "bad.csv")
            let error = #expect(throws: ListeningTestError.self) { try RaterAnswers.read([bad], key: key) }
            #expect("\(error.map { "\($0)" } ?? "")".hasPrefix(bad) && "\(error.map { "\($0)" } ?? "")".contains(word))
        }
        #expect(throws: ListeningTestError.self) {
            try RaterAnswers.read([try material.folder.write(header, to: "empty.csv")], key: key)
        }
        #expect(throws: ListeningTestError.self) { try ListeningReport.key(contentsOf: file) }
    }
}

extension Double {
    fileprivate func isNear(_ other: Double) -> Bool { abs(self - other) < 1e-12 }
}

extension Clip {
    fileprivate init(condition: Int, item: String) {
        self.init(role: .test, condition: condition, item: item, prompt: nil, expected: nil)
    }
}
