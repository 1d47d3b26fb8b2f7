import Audio
import AudioLDM2
import AudioLDM2DefaultModel
import Foundation
import TestSupport
import Testing

@Suite struct DefaultModelTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func theModelIsWholeAndSmall() throws {
        let path = try DefaultModel.path()
        try ModelInspection.check(modelAt: path)
        let size = try #require(FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
        #expect(size <= 25 << 20)
    }

    /// As `make model` makes it.
    @Test func theModelIsWhatTheConverterMakesOfItsCheckpoint() throws {
        let checkpoint = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../Weights/checkpoint").standardized.path
        let made = folder.file("made.aldm")
        let run = try CommandRun(
            "audioldm2-convert", [checkpoint, "--output", made, "--compression", "19", "--quiet", "--no-calibrate"])
        #expect(run.status == 0, "\(run.errors)")
        let (ours, theirs) = try (made, DefaultModel.path())
        #expect(FileManager.default.contentsEqual(atPath: ours, andPath: theirs))
    }

    @Test func aProgramFindsItAmongItsResourcesOrInShare() throws {
        let (program, share) = (folder.file("bin"), "share/audioldm2")
        #expect {
            try DefaultModel.path(beside: [program])
        } throws: { error in
            (error as? AudioLDM2Error)?.kind == .modelFile && "\(error)".contains("share/audioldm2/default.aldm")
        }
        for place in [share, "bin/AudioLDM2_AudioLDM2DefaultModel.resources"] {
            let home = folder.url.appendingPathComponent(place)
            try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
            let file = home.appendingPathComponent("default.aldm")
            try Data().write(to: file)
            #expect(try DefaultModel.path(beside: [program]) == file.path)
            // A library's folder may be one deeper.
            guard place == share else { continue }
            #expect(try DefaultModel.path(beside: [folder.file("lib/x86_64-linux-gnu")]) == file.path)
        }
    }

    @Test func aCommandNeedsNoModel() throws {
        let output = folder.file("rain.wav")
        let made = try CommandRun(
            "audioldm2", ["generate", "heavy rain", "-o", output, "--seed", "1", "--seconds", "2", "--steps", "10"])
        #expect(made.status == 0 && made.errors.isEmpty)
        let sound = try SoundFile.read(output)
        #expect(sound.samples.count == 32000 && sound.samples.contains { abs($0) > 0.01 })
        let inspected = try CommandRun("audioldm2", ["inspect"])
        #expect(inspected.status == 0 && inspected.output.contains("cc-by-sa-4.0"))
    }

    /// Installed in a folder whose name is no text.
    @Test func theProgramFindsItWhereverItIs() throws {
        let run = try CommandRun(
            "audioldm2", [try DefaultModel.path()],
            script: """
                d=\(folder.path)/$'opt\\xff'; mkdir -p "$d/bin" "$d/share/audioldm2" && cp "$command" "$d/bin/" \\
                  && cp "$1" "$d/share/audioldm2/" && "$d/bin/audioldm2" inspect | LC_ALL=C grep -a -o cc-by-sa-4.0
                """)
        #expect(run.status == 0 && run.output.contains("cc-by-sa-4.0"), "\(run.output.prefix(500)) \(run.errors)")
    }

    @Test func theLibraryOpensIt() async throws {
        #expect(try await AudioLDM2Pipeline.ofDefaultModel().sampleRate == 16000)
    }

    @Test func promptsForWhatItHasNotLearnedAreNoted() async throws {
        let output = folder.file("zebra.wav")
        let arguments = [
            "generate", "a zebra", "-o", output, "--seed", "1", "--seconds", "1", "--steps", "2", "--retries",
            "0",
        ]
        let made = try CommandRun("audioldm2", arguments)
        #expect(made.status == 0)
        // So short, and of so few steps, it may be silent, which is said too.
        let warning = #"warning: the model has not learned "zebra"; the nearest of its sounds is "a horse neighing""#
        #expect(made.errors.hasPrefix(warning + "\n"))
        let vocabulary = try #require(await AudioLDM2Pipeline.ofDefaultModel().vocabulary)
        let unknown = [
            "a zebra": ["zebra"], "a vacuum cleaner": ["vacuum"], "a dolphin in a pool": ["dolphin"],
            "two men yodeling": ["yodeling"], "the sound of freedom": ["freedom"],
        ]
        for (prompt, words) in unknown { #expect(vocabulary.unknownWords(in: prompt) == words, "\(prompt)") }
        let near = ["pigeon": "birds", "parrot": "birds", "highway": "traffic", "oboe": "flute", "gunfire": "gunshot"]
        for (word, name) in near { #expect(vocabulary.nearestClass(to: word)?.name == name, "\(word)") }
        #expect(vocabulary.nearestClass(to: "freedom") == nil)
    }

    @Test func promptsForWhatItHasLearnedAreNot() async throws {
        let vocabulary = try #require(await AudioLDM2Pipeline.ofDefaultModel().vocabulary)
        // Effects, families of instruments, styles of music, speech.
        let counts = [117, 18, 19, 1]
        #expect(vocabulary.classes.count == counts.reduce(0, +))
        #expect(Set(vocabulary.classes.map(\.name)).isSuperset(of: ["rain", "kick drum", "piano", "speech"]))
        // Of README and of the commands' help, where they mean the model that ships.
        let shown = [
            "heavy rain and thunder", "heavy rain", "drums playing a fast rock beat", "footsteps", "a sword clash",
            "ocean waves", "birds singing", "a church bell", "wind", "a ticking clock", "birdsong", "a violin",
            "slow piano", "rain", "a slow violin", "wind in the trees", "rain while birds sing", "distant thunder",
        ]
        let said = [
            "a woman says hello", "a man saying \"good morning\"", "a flute playing a fast melody in E flat minor",
        ]
        for prompt in vocabulary.classes.map(\.phrase) + shown + said {
            #expect(vocabulary.note(on: prompt) == nil)
        }
        let listed = try CommandRun("audioldm2", ["inspect", "--classes"])
        #expect(listed.status == 0 && listed.output.split(separator: "\n").count == vocabulary.classes.count)
    }

    /// What training's captions are made of (`Weights/training/phrases.tsv`).
    @Test func wordsOfTrainingCaptionsAreKnown() async throws {
        let vocabulary = try #require(await AudioLDM2Pipeline.ofDefaultModel().vocabulary)
        let list = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../Weights/training/phrases.tsv").standardized
        let rows = try String(contentsOf: list, encoding: .utf8).split(separator: "\n").dropFirst()
            .map { $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init) }
        // The list may be ahead of the model: it has more classes than were trained.
        let trained = rows.filter { row in vocabulary.classes.contains { $0.name == row[0] } }
        #expect(trained.count == 117)
        for row in trained {
            for phrase in row[2].split(separator: "|").map(String.init) {
                #expect(vocabulary.note(on: phrase) == nil)
                #expect(vocabulary.note(on: phrase + " in the distance, very quiet, three times") == nil)
            }
        }
    }
}
