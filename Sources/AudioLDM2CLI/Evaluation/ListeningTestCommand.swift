import ArgumentParser
import AudioLDM2
import Evaluation
import Glibc
import ListeningTest
import Terminal
import Text

struct ListeningTestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "listening-test",
        abstract: "Make a blind listening test of systems' sounds, or read what its raters answered.",
        discussion: """
            Each system is a folder of sounds (or a batch's manifest.jsonl); sounds of the same name are the same item. The test is one \
            folder that any browser opens from disk, without a network: send it to raters, who send back the CSV that \
            they save at the end. Beside it lies NAME.key.json, which says which clip is what: keep it, results are read with it.

            OVL asks for overall quality, REL for relevance to the text, MOS for the naturalness of speech, MUSHRA compares all \
            versions of an item with an open reference (such as int8 with float32 of the same seeds).

            EXAMPLES
              audioldm2 listening-test small/ large/ --reference real/ --output test --kind music
              audioldm2 listening-test int8/ --reference float32/ --questions mushra --output codec
              audioldm2 listening-test --results answers/*.csv --key test.key.json --plot scores.png
            """)

    @Argument(help: "Folders of sounds, or manifests, one a system.", transform: plainText)
    var systems: [String] = []

    @Option(
        help: "Real recordings of the same names: hidden among the others, and open in MUSHRA.", transform: plainText)
    var reference: String?

    @Option(name: [.short, .long], help: "The folder to make; it must not be there yet.", transform: plainText)
    var output: String?

    @Option(
        help:
            "What is asked, one after the other: ovl, rel, mos, or mushra alone. Default: ovl,rel where all texts are known, else ovl; of speech mos.",
        transform: { text in
            try text.split(separator: ",").map { word in
                guard let question = Question(rawValue: word.uppercased()) else {
                    throw ValidationError("\(word): choose ovl, rel, mos or mushra.")
                }
                return question
            }
        })
    var questions: [Question]?

    @Option(help: "What the sounds are: music, audio or speech.")
    var kind = SoundKind.audio

    @Option(help: "A file of lines \"NAME<tab>TEXT\", for REL. Default: what manifests say.", transform: plainText)
    var prompts: String?

    @Option(help: "The test's title, which raters see.", transform: plainText)
    var title = "Listening test"

    @Option(parsing: .unconditional, help: "Orders that are made; rater N takes the Nth.")
    var raters = 48

    @Option(parsing: .unconditional, help: "Of how many conditions a rater hears each item. Default: all.")
    var rounds: Int?

    @Option(parsing: .unconditional, help: "Practice items before each question.")
    var training = 3

    @Option(parsing: .unconditional, help: "Clips of beeps to be counted, in each question.")
    var traps = 2

    @Option(parsing: .unconditional, help: "Clips with a known answer, in each question.")
    var gold = 2

    @Flag(inversion: .prefixedNo, help: "Low-passed versions among the others, at 3.5 and 7 kHz.")
    var anchors = true

    @Flag(inversion: .prefixedNo, help: "Begin with a check for headphones.")
    var headphones = true

    @Option(parsing: .unconditional, help: "Loudness of all clips (ITU-R BS.1770), in LUFS.")
    var loudness = -23.0

    @Option(parsing: .unconditional, help: "The seed of orders and names.")
    var seed: UInt32 = 1

    @Option(parsing: .upToNextOption, help: "CSV files that raters saved: analyse them.", transform: plainText)
    var results: [String] = []

    @Option(help: "The key of the test that the results are of.", transform: plainText)
    var key: String?

    @Option(help: "Where to draw the results: a name that ends in png.", transform: plainText)
    var plot: String?

    @Flag(help: "Print JSON for programs.")
    var json = false

    @Flag(name: [.short, .long], help: "Print nothing but errors and results.")
    var quiet = false

    func validate() throws {
        if let plot { try validatePicture(plot, option: "--plot") }
        if results.isEmpty {
            guard output != nil, !systems.isEmpty else {
                throw ValidationError("Name folders of sounds and an --output, or --results and their --key.")
            }
            guard key == nil, plot == nil else { throw ValidationError("--key and --plot go with --results.") }
        } else {
            guard key != nil else { throw ValidationError("--results needs the --key of their test (NAME.key.json).") }
            guard systems.isEmpty, output == nil else {
                throw ValidationError("--results reads a test, --output makes one: choose.")
            }
        }
        guard output != "" else { throw ValidationError("--output is empty: name a folder.") }
    }

    func run() async throws {
        if let key, !results.isEmpty { return try analyse(key: key) }
        let command = self
        try await untilInterrupted(note: quiet ? nil : "nothing was made") { try command.make() }
    }

    // MARK: Making

    private func make() throws {
        let sets = try systems.map { (name: Self.name(of: $0), set: try SoundSet($0)) }
        let texts = try prompts.map { try Prompts.read($0) } ?? [:]
        var options = ListeningTestOptions()
        options.title = title
        options.kind = kind
        options.questions = questions ?? defaultQuestions(sets.map(\.set), texts)
        options.raters = raters
        options.rounds = rounds
        options.training = training
        options.traps = traps
        options.gold = gold
        options.hasAnchors = anchors
        options.hasHeadphoneTest = headphones
        options.loudness = loudness
        options.seed = seed
        let line = ProgressLine(quiet: quiet)
        defer { line.clear() }
        let summary = try ListeningTest(options).make(
            systems: sets, reference: try reference.map { try SoundSet($0) }, prompts: texts, output: output ?? ""
        ) { done, total in
            try Task.checkCancellation()
            line.show("writing clips", share: Double(done) / Double(total))
        }
        line.clear()
        if json {
            print(try Terminal.json(summary))
        } else {
            print(
                "\(summary.folder)/index.html: \(summary.items) items in \(summary.conditions.count) conditions, "
                    + "\(summary.trialsPerRater) sounds or pages a rater, "
                    + String(printf: "%.1f LUFS", summary.loudness)
                    + "\n\(summary.keyFile): which clip is what; keep it from raters")
        }
        if !quiet { for note in summary.notes { printWarning(note) } }
    }

    private func defaultQuestions(_ sets: [SoundSet], _ texts: [String: String]) -> [Question] {
        if kind == .speech { return [.mos] }
        let known = sets.first?.items.allSatisfy { item in
            texts[item.name] != nil || sets.contains { $0.items.contains { $0.name == item.name && $0.prompt != nil } }
        }
        return known == true ? [.ovl, .rel] : [.ovl]
    }

    /// A system is called as its folder.
    private static func name(of path: String) -> String {
        let parts = path.split(separator: "/").map(String.init)
        let folder = parts.last?.hasSuffix(".jsonl") == true ? parts.dropLast().last : parts.last
        return folder.flatMap { $0 == "." ? nil : $0 } ?? path
    }

    // MARK: Analysis

    private func analyse(key path: String) throws {
        if let plot { try AudioClip.checkSpectrogramWritable(plot) }
        let key = try ListeningReport.key(contentsOf: path)
        let report = try ListeningReport(RaterAnswers.read(results, key: key), key: key)
        if let plot { try ListeningPlot(report).write(to: plot) }
        print(json ? try Terminal.json(report) : ListeningTable(report).text)
    }
}

extension SoundKind: ExpressibleByArgument {}
