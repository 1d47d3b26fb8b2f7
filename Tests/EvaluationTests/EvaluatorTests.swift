import Audio
import Evaluation
import Files
import Foundation
import Synchronization
import TestSupport
import Testing

/// Sets on disk, heard by a judge that is a formula.
@Suite struct EvaluatorTests {
    /// Four numbers of each half second, and five logits; counts what it heard.
    private final class Formula: TextJudge {
        let identity = JudgeIdentity(name: "formula", hash: "f0")
        let sampleRate = 16000
        let width = 4
        let classCount: Int? = 5
        let heard = Mutex(0)

        func windows(_ rules: EvaluationProtocol) -> WindowRule {
            .sliding(length: 8000, hop: 8000, leastTail: 4000, fillsTail: true)
        }

        func hear(_ windows: [[Float]]) throws -> [Heard] {
            heard.withLock { $0 += windows.count }
            return try windows.map { window in
                // Nothing that is as loud as this is heard.
                let isLoud = window.contains { $0 > 0.9 }
                let values = [1, 3, 10, 40].map { lag in
                    isLoud ? Float.nan : zip(window, window.dropFirst(lag)).reduce(0) { $0 + $1.0 * $1.1 } / 1000
                }
                return Heard(
                    embeddings: try Embeddings(width: 4, values: values),
                    logits: try Embeddings(width: 5, values: values + [1]))
            }
        }

        func embeddings(ofTexts texts: [String]) throws -> Embeddings {
            try Embeddings(width: 4, values: texts.flatMap { [Float($0.utf8.count), 1, 2, 3] })
        }
    }

    private let folder: TemporaryFolder
    private let rules = EvaluationProtocol(.audioldmEval)

    init() throws {
        folder = try TemporaryFolder()
        var random = NumPyRandom(seed: 1)
        for set in ["generated", "reference"] {
            try FileName.makeFolder(folder.file(set))
            for index in 0..<24 {
                let noise = set == "generated" ? 0.2 : 0.05
                let samples = (0..<17000).map { place in
                    Float(0.4 * sin(Double(place) * (0.05 + 0.01 * Double(index))) + noise * (random.uniform() - 0.5))
                }
                try SoundFile.write(
                    Sound(samples: samples, sampleRate: 16000), to: folder.file("\(set)/\(index).wav"))
            }
        }
    }

    private func hear(_ name: String, _ judge: Formula = Formula(), journal: EmbeddingJournal? = nil) throws -> HeardSet
    {
        try SetListener(judge, rules, journal: journal).hear(SoundSet(folder.file(name)))
    }

    @Test func figuresAreThoseOfTheFunctions() throws {
        let (x, y) = (try hear("generated"), try hear("reference"))
        var evaluator = Evaluator(Formula(), rules)
        evaluator.draws = 20
        let report = try evaluator.report(generated: x, reference: y)
        let figures = Dictionary(uniqueKeysWithValues: report.figures.map { ($0.metric, $0) })
        func join(_ parts: [Embeddings]) throws -> Embeddings {
            try Embeddings(width: parts[0].width, values: parts.flatMap(\.values))
        }
        let (a, b) = (try join(x.sounds.map(\.embeddings)), try join(y.sounds.map(\.embeddings)))
        // Two windows, and a rest that is too short.
        #expect(a.rowCount == 24 * 2 && report.generated.files == 24 && report.generated.embeddings == 48)
        #expect(isNear(try #require(figures[.frechetDistance]).value, try FrechetDistance(a, b).value, relative: 1e-9))
        #expect(figures[.kernelInceptionDistance]?.value == (try KernelInceptionDistance(a, b).mean))
        #expect(figures[.kernelAudioDistance]?.value == (try KernelAudioDistance(reference: b, evaluated: a).value))
        let (p, q) = (try join(y.sounds.compactMap(\.logits)), try join(x.sounds.compactMap(\.logits)))
        let divergence = try KullbackLeibler(target: p, other: q, by: .softmax).mean
        #expect(isNear(try #require(figures[.klSoftmax]).value, divergence, relative: 1e-9))
        #expect(figures[.inceptionScore]?.value == (try InceptionScore(q).mean))
        #expect(figures[.logSpectralDistance]?.count == 24 && figures[.frechetDistance]?.standardError != nil)
        let interval = try #require(figures[.klSoftmax]?.interval)
        #expect(interval.low < divergence && divergence < interval.high)
        #expect(report.files.allSatisfy { $0.frechetDistance != nil && $0.klSoftmax != nil && $0.clapScore == nil })
        #expect(report.warnings.contains { $0.contains("no prompts are known") })
        // The same set is at distance 0, and pairs with itself.
        let same = try evaluator.report(generated: x, reference: x)
        #expect(same.figures.first { $0.metric == .frechetDistance }.map { $0.value == 0 } == true)
        #expect(same.figures.first { $0.metric == .logSpectralDistance }.map { abs($0.value) < 1e-6 } == true)
    }

    @Test func unpairedNamesHaveNoDivergence() throws {
        try FileManager.default.moveItem(
            atPath: folder.file("generated/3.wav"), toPath: folder.file("generated/other.wav"))
        let report = try Evaluator(Formula(), rules).report(generated: hear("generated"), reference: hear("reference"))
        #expect(report.figures.allSatisfy { $0.metric != .klSoftmax && $0.metric != .logSpectralDistance })
        #expect(report.warnings.contains { $0.contains("23 of 24 sounds have a partner") && $0.contains("99 %") })
        // Other packages take the pairs that there are.
        let others = EvaluationProtocol(.audiocraft)
        let listener = SetListener(Formula(), others)
        let loose = try Evaluator(Formula(), others).report(
            generated: listener.hear(SoundSet(folder.file("generated"))),
            reference: listener.hear(SoundSet(folder.file("reference"))))
        #expect(loose.figures.first { $0.metric == .klSoftmax }?.count ?? 0 > 0)
        #expect(loose.warnings.contains { $0.contains("2 sound(s) have no partner") })
    }

    /// One sound beside one: the reference was given, so it is not asked for.
    @Test func soundsThatAreTooFewAreSaidToBe() throws {
        for set in ["one", "other"] {
            try FileName.makeFolder(folder.file(set))
            try SoundFile.write(
                Sound(samples: Array(repeating: 0.1, count: 8000), sampleRate: 16000),
                to: folder.file("\(set)/\(set).wav"))
        }
        let evaluator = Evaluator(Formula(), rules)
        let (one, other) = (try hear("one"), try hear("other"))
        let error = #expect(throws: EvaluationError.self) { try evaluator.report(generated: one, reference: other) }
        #expect(error?.description.contains("one embedding has no covariance") == true)
        #expect(error?.description.contains("--reference") == false)
        let alone = #expect(throws: EvaluationError.self) { try evaluator.report(generated: one, reference: nil) }
        #expect(alone?.description.contains("give a --reference") == true)
    }

    @Test func promptsComeFromManifests() throws {
        try folder.write(
            #"{"line":1,"status":"made","output":"3.wav","record":{"prompt":"a bell"}}"# + "\n"
                + #"{"line":2,"status":"failed","error":"x"}"# + "\n" + #"{"line":3,"sta"#,
            to: "generated/manifest.jsonl")
        let set = try SoundSet(folder.file("generated/manifest.jsonl"))
        #expect(set.items == [.init(path: folder.file("generated/3.wav"), prompt: "a bell")])
        #expect(try SoundSet(folder.file("generated")).items.compactMap(\.prompt) == ["a bell"])
        let report = try Evaluator(Formula(), rules).report(generated: hear("generated"), reference: nil)
        let score = try #require(report.figures.first { $0.metric == .clapScore })
        #expect(score.count == 1 && report.figures.contains { $0.metric == .clapScoreAsInPaper })
    }

    @Test func whatWasHeardIsNotHeardAgain() throws {
        let first = Formula()
        let whole = try hear(
            "generated", first,
            journal: EmbeddingJournal(folder: folder.file("cache"), judge: first.identity, rules: rules))
        #expect(first.heard.withLock { $0 } == 48)
        // A record that was not finished, and a sound that has changed since.
        let name = try #require(FileManager.default.contentsOfDirectory(atPath: folder.file("cache")).first)
        let path = folder.file("cache/" + name)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        try bytes.dropLast(5).write(to: URL(fileURLWithPath: path))
        let silence = Sound(samples: [Float](repeating: 0, count: 17000), sampleRate: 16000)
        try SoundFile.write(silence, to: folder.file("generated/5.wav"))
        let second = Formula()
        let again = try hear(
            "generated", second,
            journal: EmbeddingJournal(folder: folder.file("cache"), judge: second.identity, rules: rules))
        #expect(second.heard.withLock { $0 } == 4)
        #expect(zip(whole.sounds, again.sounds).count { $0 != $1 } == 1 && again.silent.count == 1)
        let third = Formula()
        let journal = try EmbeddingJournal(folder: folder.file("cache"), judge: third.identity, rules: rules)
        #expect(try hear("generated", third, journal: journal).sounds == again.sounds)
        #expect(third.heard.withLock { $0 } == 0)
        #expect(throws: EvaluationError.self) {
            try EmbeddingJournal(folder: folder.file("cache"), judge: third.identity, rules: rules)
        }
    }

    @Test func damagedAndSilentFilesAreNamedAndCounted() throws {
        try folder.write("RIFF", to: "generated/broken.wav")
        try folder.write(Self.notANumber, to: "generated/nan.wav")
        let silence = Sound(samples: [Float](repeating: 0, count: 9000), sampleRate: 16000)
        try SoundFile.write(silence, to: folder.file("generated/silent.wav"))
        let set = try hear("generated")
        #expect(set.fileCount == 25 && set.silent == [folder.file("generated/silent.wav")])
        #expect(set.damaged.map(\.file) == ["broken.wav", "nan.wav"].map { folder.file("generated/" + $0) })
        #expect(set.damaged[1].reason.contains("not a number"))
        try folder.write("RIFF", to: "bad/broken.wav")
        #expect(throws: EvaluationError.self) { try hear("bad") }
    }

    @Test func soundsThatAJudgeMakesNoNumbersOfAreNamed() throws {
        let loud = Sound(samples: (0..<9000).map { $0 == 0 ? -0.5 : $0 == 7000 ? 0.99 : 0 }, sampleRate: 16000)
        try SoundFile.write(loud, to: folder.file("generated/7.wav"))
        let set = try hear("generated")
        #expect(set.fileCount == 23 && set.damaged.map(\.file) == [folder.file("generated/7.wav")])
        #expect(set.damaged.first?.reason.contains("formula makes numbers") == true)
    }

    /// A WAV file of float32 that holds one.
    static let notANumber: [UInt8] = {
        func number(_ value: UInt32, _ count: Int = 4) -> [UInt8] {
            (0..<count).map { UInt8(value >> (8 * UInt32($0)) & 0xFF) }
        }
        let samples: [Float] = [0.1, .nan, 0.2, 0.1]
        let data = samples.flatMap { number($0.bitPattern) }
        return Array("RIFF".utf8) + number(UInt32(36 + data.count)) + Array("WAVEfmt ".utf8) + number(16) + number(3, 2)
            + number(1, 2) + number(16000) + number(64000) + number(4, 2) + number(32, 2) + Array("data".utf8)
            + number(UInt32(data.count)) + data
    }()

    @Test func setsThatAreNoneAreRefused() throws {
        try FileName.makeFolder(folder.file("empty"))
        try folder.write("text", to: "twins/a.txt")
        try folder.write("x", to: "twins/a.wav")
        try folder.write("x", to: "twins/a.flac")
        for name in ["empty", "nosuch", "generated/1.wav", "twins"] {
            #expect(throws: EvaluationError.self) { try SoundSet(folder.file(name)) }
        }
    }

    @Test func windowsAreThoseOfThePackages() {
        func cut(_ rule: WindowRule, _ samples: [Float]) -> [[Float]] {
            rule.starts(samples: samples.count).map { rule.window(of: samples, at: $0) }
        }
        let samples = (0..<25).map(Float.init)
        for (hop, tail, fills, counts) in [
            (10, 4, false, [10, 10, 5]), (10, 5, false, [10, 10]), (5, 0, true, [10, 10, 10, 10, 10]),
        ] {
            let rule = WindowRule.sliding(length: 10, hop: hop, leastTail: tail, fillsTail: fills)
            #expect(cut(rule, samples).map(\.count) == counts)
        }
        let sliding = WindowRule.sliding(length: 10, hop: 20, leastTail: 0, fillsTail: true)
        #expect(cut(sliding, samples)[1] == [20, 21, 22, 23, 24, 0, 0, 0, 0, 0])
        #expect(cut(.first(7, filling: .repetition), [1, 2, 3]) == [[1, 2, 3, 1, 2, 3, 0]])
        #expect(cut(.first(2, filling: .zeros), samples) == [[0, 1]])
        #expect(cut(.whole(atLeast: 5, filling: .zeros), [1, 2]) == [[1, 2, 0, 0, 0]])
        #expect(cut(.whole(atLeast: 1, filling: .zeros), samples) == [samples])
    }

    @Test func protocolsPrepareSoundsTheirOwnWay() throws {
        let sound = Sound(samples: [0.5, 0.1, 0.7, -0.3], channels: 2, sampleRate: 16000)
        let first = try EvaluationProtocol(.audioldmEval).prepare(sound, path: "x", sampleRate: 16000)
        #expect(first.count == 2 && abs(first[0] + 0.1) < 1e-6 && abs(first[1] - 0.1) < 1e-6)
        let mean = try EvaluationProtocol(.audiocraft).prepare(sound, path: "x", sampleRate: 16000)
        #expect(mean.count == 2 && abs(mean[0] - 0.3) < 1e-6 && abs(mean[1] - 0.2) < 1e-6)
        let rounded = try EvaluationProtocol(.fadtk).prepare(sound, path: "x", sampleRate: 16000)
        #expect(rounded == [9830 / 32768, 6554 / 32768])
    }
}
