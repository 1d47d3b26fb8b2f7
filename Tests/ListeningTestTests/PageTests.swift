import Audio
import Evaluation
import Foundation
import ListeningTest
import TestSupport
import Testing

/// What raters get, and that it tells them nothing.
@Suite struct PageTests {
    private let material: TestMaterial

    init() throws { material = try TestMaterial() }

    @Test func folderHoldsTheWholeTestAndNoName() throws {
        let (summary, key, page) = try material.make()
        let folder = material.folder
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: summary.folder).sorted() == [
                "clips", "index.html", "page.css", "page.js", "test.js",
            ])
        let clips = try Set(FileManager.default.contentsOfDirectory(atPath: folder.file("page/clips")))
        #expect(clips == Set(key.clips.keys.map { $0 + ".wav" }))
        let used = page.orders.flatMap { $0 }.flatMap(\.trials).compactMap(\.clip) + page.headphones
        #expect(Set(used) == Set(key.clips.keys))
        // Nothing is fetched, and nothing says what a clip is of.
        for name in ["index.html", "page.css", "page.js", "test.js"] {
            let text = try String(contentsOfFile: folder.file("page/" + name), encoding: .utf8)
            #expect(!text.contains("http"), "\(name)")
            if name == "test.js" {
                for word in ["small", "large", "anchor", "item3.wav", "role\"", "\"trap", "\"gold", "expected\""] {
                    #expect(!text.contains(word), "\(word)")
                }
            }
        }
        #expect(summary.keyFile == folder.file("page.key.json"))
        #expect(key.conditions.map(\.kind) == [.system, .system, .reference, .lowAnchor, .middleAnchor])
    }

    @Test func questionsAreThePapersWordForWord() throws {
        let (_, _, page) = try material.make { $0.kind = .music }
        #expect(
            page.questions.map(\.text) == [
                "How would you rate the overall quality of this music? Consider its resemblance to real-world audio and its naturalness.",
                "How would you rate the relevance of music to the text description?",
            ])
        let (_, _, speech) = try material.make("speech") {
            $0.kind = .speech
            $0.questions = [.mos]
        }
        #expect(
            speech.questions[0].text
                == "How natural does this recording sound? Take into account emotion, prosody, and other human-like details."
        )
        #expect(try material.make("audio").page.questions[0].text.contains("quality of this audio?"))
    }

    @Test func clipsAreEquallyLoudAndAnchorsLowPassed() throws {
        let (summary, key, _) = try material.make { $0.loudness = -14 }
        // A sine of the loudest level would exceed full scale there.
        #expect(summary.loudness <= -14 && key.loudness == summary.loudness)
        for (name, clip) in key.clips where clip.role != .headphones {
            let sound = try SoundFile.read(material.folder.file("page/clips/\(name).wav"))
            let loudness = try #require(Loudness.integrated(sound))
            #expect(abs(loudness - summary.loudness) < 0.1, "\(clip): \(loudness)")
            #expect(sound.samples.allSatisfy { abs($0) < 0.95 })
        }
    }

    @Test func loudnessGivesWayToFullScale() throws {
        let (summary, _, _) = try material.make { $0.loudness = -5 }
        #expect(summary.loudness < -5)
        #expect(summary.notes.contains { $0.contains("full scale") })
    }

    @Test func lowAnchorsHaveNothingAboveTheirEdge() throws {
        let (_, key, _) = try material.make()
        for (name, clip) in key.clips where clip.role == .test {
            guard let condition = clip.condition, key.conditions[condition].kind == .lowAnchor else { continue }
            let sound = try SoundFile.read(material.folder.file("page/clips/\(name).wav"))
            #expect(Bandwidth.estimate(sound.samples, sampleRate: sound.sampleRate) < 3700)
        }
    }

    @Test func ordersAskQualityBeforeRelevanceAndNoItemTwiceInARow() throws {
        let (summary, key, page) = try material.make()
        #expect(try material.make("more") { $0.raters = 11 }.page.orders.count == 15)
        #expect(page.orders.count == 10 && Set(page.orders.map { "\($0)" }).count == 10)
        for order in page.orders {
            #expect(order.map { page.questions[$0.question].name } == ["OVL", "REL"])
            for block in order {
                let isRelevance = page.questions[block.question].name == "REL"
                // Texts stand at relevance alone, at checks too, so that these look like all others.
                #expect(block.trials.allSatisfy { ($0.prompt != nil) == isRelevance })
                let clips = block.trials.compactMap { $0.clip.flatMap { key.clips[$0] } }
                #expect(clips.count == block.trials.count)
                let tested = clips.filter { $0.role == .test }
                // Ten items of which two are for practice, in five conditions.
                #expect(tested.count == 8 * 5)
                #expect(zip(tested, tested.dropFirst()).allSatisfy { $0.item != $1.item })
                #expect(clips.count { $0.role == .trap } == 2 && clips.count { $0.role == .gold } == 2)
                let practice = block.trials.prefix { $0.training == true }
                #expect(practice.count == 3 && clips.prefix(3).allSatisfy { $0.role == .training })
                #expect(clips[3].role == .test)
                let practised = Set(clips.filter { $0.role == .training }.compactMap(\.item))
                #expect(practised.isDisjoint(with: tested.compactMap(\.item)))
            }
        }
        #expect(summary.trialsPerRater == 6 + 2 * (3 + 40 + 4))
        #expect(page.headphones.allSatisfy { key.clips[$0]?.role == .headphones } && page.headphones.count == 6)
    }

    @Test func theSameSeedMakesTheSameTest() throws {
        _ = try material.make("a")
        _ = try material.make("b")
        _ = try material.make("c") { $0.seed = 2 }
        let scripts = try ["a", "b", "c"].map {
            try Data(contentsOf: material.folder.url.appendingPathComponent("\($0)/test.js"))
        }
        #expect(scripts[0] == scripts[1] && scripts[0] != scripts[2])
    }

    @Test func comparisonsShowAllVersionsBesideTheReference() throws {
        let (_, key, page) = try material.make { $0.questions = [.mushra] }
        for order in page.orders {
            for trial in order[0].trials {
                let clips = try #require(trial.clips).compactMap { key.clips[$0] }
                #expect(Set(clips.compactMap(\.condition)) == Set(0..<5))
                let open = try #require(trial.reference)
                #expect(key.clips[open]?.role == .openReference)
                #expect(Set(clips.map(\.item)) == [key.clips[open]?.item])
                #expect(trial.clips?.contains(open) == false)
            }
        }
    }

    @Test func whatCannotBeATestIsRefusedAndLeavesNothing() throws {
        for change in [
            { $0.questions = [] }, { $0.questions = [.mushra, .ovl] }, { $0.raters = 0 }, { $0.rounds = 0 },
            { $0.loudness = .nan }, { $0.title = "" }, { $0.traps = 21 },
        ] as [(inout ListeningTestOptions) -> Void] {
            #expect(throws: ListeningTestError.self) { try material.make(change: change) }
        }
        let options = ListeningTestOptions()
        let small = try material.set("small")
        #expect(throws: ListeningTestError.self) {
            try ListeningTest(options).make(
                systems: [("a", small), ("a", small)], reference: nil, output: material.folder.file("page"))
        }
        try material.folder.write("no sound", to: "broken/item1.wav")
        #expect(throws: (any Error).self) {
            try ListeningTest(options).make(
                systems: [("small", small), ("broken", SoundSet(material.folder.file("broken")))], reference: nil,
                output: material.folder.file("page"))
        }
        #expect(try material.folder.contents().allSatisfy { !$0.hasPrefix("page") })
        _ = try material.make()
        #expect(throws: ListeningTestError.self) { try material.make() }
    }
}
