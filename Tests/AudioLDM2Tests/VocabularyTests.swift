import AudioLDM2
import AudioLDM2Converter
import Foundation
import TestSupport
import Testing
import WeightFile

/// Words of prompts that a model has not learned.
@Suite struct VocabularyTests {
    private static let json = Fixtures.folder("Vocabulary").appendingPathComponent("vocabulary.json")
    private let vocabulary: PromptVocabulary

    init() throws { vocabulary = try PromptVocabulary(decoding: Data(contentsOf: Self.json)) }

    @Test func wordsOfCaptionsAreKnownInAllTheirForms() {
        for prompt in [
            "", "a cow mooing", "A COW MOOS", "cows mooed", "the cow's moo", "roar", "rumbles and rumbled", "rains",
            "a 44 100 x 3rd", "stops", "stopping", "mooing-cow/rain", "lions … roaring!", "A-a",
        ] {
            #expect(vocabulary.unknownWords(in: prompt).isEmpty, "\(prompt)")
        }
    }

    @Test func whatSaysHowIsNotNoted() {
        #expect(vocabulary.unknownWords(in: "my loudest, angrily heavier cow don't").isEmpty)
        #expect(vocabulary.unknownWords(in: "in the louder Café flüstern") == ["Café", "flüstern"])
    }

    /// Degrees of what captions say themselves, and plurals in -men.
    @Test func degreesAndPluralsOfLearnedWordsAreKnown() {
        #expect(vocabulary.unknownWords(in: "rainier rain, women saying hello").isEmpty)
        #expect(vocabulary.unknownWords(in: "catier rain, firemen, men, amen") == ["catier", "firemen", "men", "amen"])
    }

    @Test func unknownWordsAreNamedOnceAndAsTheyWereWritten() {
        #expect(
            vocabulary.unknownWords(in: "a Cat meowing, a cat and cats' meows") == ["Cat", "meowing", "cats", "meows"])
        #expect(vocabulary.unknownWords(in: "a rain-forest") == ["forest"])
        #expect(vocabulary.unknownWords(in: "дождь, 雨 and 🌧").isEmpty)
    }

    @Test func pairsAreKnownWhereTheirWordsAreNot() {
        #expect(vocabulary.unknownWords(in: "big cats roaring and a robot dog").isEmpty)
        #expect(vocabulary.unknownWords(in: "a dog, a robot, a big lion") == ["dog", "robot", "big"])
    }

    @Test func whatVoicesSayIsKnownOnlyOfVoices() {
        #expect(vocabulary.unknownWords(in: "a woman says hello, mornings").isEmpty)
        #expect(vocabulary.unknownWords(in: "hello in the morning") == ["hello", "morning"])
    }

    @Test func theNearestClassIsNamed() throws {
        #expect(vocabulary.nearestClass(to: "Kittens")?.name == "lion")
        #expect(vocabulary.nearestClass(to: "spaceship") == nil && vocabulary.nearestClass(to: "") == nil)
        #expect(vocabulary.note(on: "heavy rain") == nil)
        #expect(
            vocabulary.note(on: "a cat meowing")
                == #"the model has not learned "cat", "meowing"; the nearest of its sounds is "a lion roaring""#)
        #expect(
            vocabulary.note(on: "a moose, buffalo and cats")
                == #"the model has not learned "moose", "buffalo", "cats"; the nearest of its sounds are "#
                + #""a cow mooing", "a lion roaring""#)
        #expect(
            vocabulary.note(on: "spaceship")
                == #"the model has not learned "spaceship", and none of its sounds is near"#)
        let words = (30..<400).map { "w" + String(repeating: "z", count: $0) }.joined(separator: " ")
        let long = try #require(vocabulary.note(on: words + words))
        #expect(long.contains("zz\" …, and none") && long.count < 400)
        let longer = try #require(vocabulary.note(on: String(repeating: "z", count: 1 << 20)))
        #expect(longer.contains("zz…\", and none") && longer.count < 150)
    }

    // MARK: In files

    private static let hostile: [(json: String, reason: String)] = [
        ("", "not valid JSON"), ("[]", "not valid JSON"), ("{}", "'classes' is missing"),
        (#"{"classes": [], "words": [], "qualities": [], "speech": {"verbs": [], "words": []}}"#, "'classes' is empty"),
        (#"{"classes": 5}"#, "'classes' has the wrong type"), (#"{"classes": [{"name": 1}]}"#, "has the wrong type"),
        (changed("a cow mooing", to: #"a cow\u001b[2J"#), "'classes.phrase'"), (changed("umbrella", to: ""), "near"),
        (changed("lion\", \"phrase", to: "cow\", \"phrase"), "the same name"),
        (changed("rumbling", to: String(repeating: "x", count: 100)), "'words'"),
        (changed("hello", to: #"h\u00e9llo"#), "'speech.words'"),
        (String(repeating: "[", count: 100_000), "not valid JSON"),
        (changed("heavy", to: String(repeating: "x", count: 1 << 20)), "bytes are too many"),
    ]

    private static func changed(_ old: String, to new: String) -> String {
        ((try? String(contentsOf: json, encoding: .utf8)) ?? "").replacing(old, with: new)
    }

    @Test(arguments: hostile.indices) func listsThatCannotBeUsedAreErrors(_ place: Int) throws {
        let (json, reason) = Self.hostile[place]
        let folder = try TemporaryFolder()
        let path = folder.file("model.aldm")
        let writer = try PackWriter(path: path, compression: .zstd(level: 1), threads: 1)
        try writer.addBlob(name: "vocabulary", Data(json.utf8))
        try writer.finish()
        let error = try #require(throws: AudioLDM2Error.self) { try ModelInspection(modelAt: path) }
        #expect(error.kind == .modelFile && error.description.count < 500)
        #expect(
            error.description.hasPrefix("\(path): malformed pack: vocabulary: ") && error.description.contains(reason))
    }

    // MARK: In use

    /// The tiny model with a list of words.
    private func model(in folder: TemporaryFolder) throws -> String {
        let (manager, tiny) = (FileManager.default, Fixtures.folder("Checkpoints").appendingPathComponent("tiny"))
        let checkpoint = folder.url.appendingPathComponent("checkpoint")
        try manager.createDirectory(at: checkpoint, withIntermediateDirectories: true)
        for name in try manager.contentsOfDirectory(atPath: tiny.path) {
            try manager.createSymbolicLink(
                at: checkpoint.appendingPathComponent(name), withDestinationURL: tiny.appendingPathComponent(name))
        }
        try manager.copyItem(at: Self.json, to: checkpoint.appendingPathComponent("vocabulary.json"))
        let path = folder.file("model.aldm")
        _ = try CheckpointConverter(DiffusersFolder(path: checkpoint.path), ConversionOptions()).convert(to: path)
        return path
    }

    private static let note =
        #"warning: the model has not learned "cat"; the nearest of its sounds is "a lion roaring""#

    @Test func everyCommandThatReadsAPromptSaysItOnce() throws {
        let folder = try TemporaryFolder()
        let (model, before) = (try model(in: folder), folder.file("before.wav"))
        try AudioClip(samples: (0..<16000).map { Float(sin(Double($0) * 0.1)) / 3 }, sampleRate: 16000).write(
            to: before)
        let batch = try folder.write(
            #"{"prompt": "a cat", "output": "a.wav"}"# + "\n" + #"{"prompt": "a cow", "output": "b.wav"}"# + "\n"
                + #"{"prompt": "a cat", "candidates": 2, "output": "c.wav"}"#, to: "batch.jsonl")
        let short = ["-m", model, "--steps", "1", "--seed", "1"]
        let output = ["-o", folder.file("sound.wav")]
        let generate = ["generate", "a cat", "--seconds", "0.3"] + short + output
        for arguments in [
            generate, generate + ["--candidates", "3"], ["transform", before, "a cat"] + short + output,
            ["transform", before, "a cat", "--candidates", "2"] + short + output,
            ["encode", "a cat", "-m", model, "-o", folder.file("cat.cond")],
        ] {
            let run = try CommandRun("audioldm2", arguments)
            #expect(run.status == 0 && run.errors == Self.note + "\n", "\(arguments): \(run.errors)")
            let quiet = try CommandRun("audioldm2", arguments + ["--quiet"])
            #expect(quiet.status == 0 && quiet.errors.isEmpty && quiet.output.isEmpty)
        }
        let batched = try CommandRun(
            "audioldm2", ["batch", batch, "--seconds", "0.3"] + short + ["-o", folder.file("out")])
        #expect(batched.status == 0)
        #expect(
            batched.errors.split(separator: "\n").map(String.init) == [
                Self.note.replacing("warning:", with: "warning: line 1:"), Self.note,
            ])
        // What was encoded was noted when it was.
        let encoded = try CommandRun(
            "audioldm2", ["generate", "--condition", folder.file("cat.cond"), "--seconds", "0.3"] + short + output)
        #expect(encoded.status == 0 && encoded.errors.isEmpty)
    }

    @Test func theListIsShown() throws {
        let folder = try TemporaryFolder()
        let model = try model(in: folder)
        let pipeline = try AudioLDM2Pipeline(opening: model)
        #expect(pipeline.soundClasses.map(\.name) == ["cow", "lion", "rain"])
        let listed = try CommandRun("audioldm2", ["inspect", model, "--classes"])
        #expect(listed.status == 0)
        #expect(
            listed.output.split(separator: "\n").map { $0.split(separator: " ", maxSplits: 1).map(String.init) }
                .map { [$0[0], $0[1].trimmingCharacters(in: .whitespaces)] }
                == [["cow", "a cow mooing"], ["lion", "a lion roaring"], ["rain", "heavy rain"]])
        let json = try CommandRun("audioldm2", ["inspect", model, "--json"])
        #expect(
            try JSONDecoder().decode(ModelInspection.self, from: Data(json.output.utf8)).classes
                == pipeline.soundClasses)
        let tiny = try ModelFixture.path("tiny", .int8)
        #expect(try AudioLDM2Pipeline(opening: tiny).vocabulary == nil)
        let none = try CommandRun("audioldm2", ["inspect", tiny, "--classes"])
        #expect(none.status == 0 && none.output.contains("does not say"))
    }
}
