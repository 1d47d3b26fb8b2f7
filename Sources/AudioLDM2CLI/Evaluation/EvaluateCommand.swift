import ArgumentParser
import AudioLDM2
import CommandOptions
import Evaluation
import Glibc
import Terminal

struct EvaluateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Say how near a set of sounds is to another, and how well they fit their prompts.",
        discussion: """
            A set is a folder of sounds, a batch's manifest.jsonl, or statistics that were saved. Prompts for CLAP scores come from \
            manifests. Sounds pair by name (without extension).

            The judge hears the sounds. "log-mel" needs no network: averages and spreads of a spectrogram's bands, which tell \
            timbre and loudness and no meaning; good for comparing a model with a conversion of itself. Better ones are files that \
            audioldm2-convert makes of published networks (VGGish for a paper's FAD, Cnn14 of PANNs), and a model file's own \
            CLAP. Figures depend on the judge, the protocol and the number of sounds: compare only what has all of them the same.

            EXAMPLES
              audioldm2 evaluate int8/ --reference float32/
              audioldm2 evaluate out/ --reference real/ --judge vggish.aldm
              audioldm2 evaluate out/manifest.jsonl --reference real/ --judge audioldm2.aldm --plot scores.png
              audioldm2 evaluate real/ --judge audioldm2.aldm --save-statistics real.stats
              audioldm2 evaluate out/ --reference real.stats --judge audioldm2.aldm --json
            """)

    @Argument(help: "The sounds to judge: a folder, a manifest, or a .stats file.", transform: plainText)
    var generated: String

    @Option(help: "What they are compared with: a folder, a manifest, or a .stats file.", transform: plainText)
    var reference: String?

    @Option(
        help:
            "Who hears them: log-mel, or a model file, of a network that judges or of a model with CLAP. Default: log-mel.",
        transform: plainText)
    var judge = LogMelJudge.name

    @Option(
        name: .customLong("protocol"),
        help: ArgumentHelp(
            "As which package: " + EvaluationProtocol.Name.allCases.map(\.rawValue).joined(separator: ", ") + ".",
            valueName: "name"))
    var rules = EvaluationProtocol.Name.audioldmEval

    @Option(help: "Where to keep the statistics of the sounds, for later comparisons (.stats).", transform: plainText)
    var saveStatistics: String?

    @Option(
        help: "A folder where what was heard is kept: a run that was stopped goes on, and no sound is heard twice.",
        transform: plainText)
    var cache: String?

    @Option(help: "Where to draw the figures of the single sounds: a name that ends in png.", transform: plainText)
    var plot: String?

    @Option(parsing: .unconditional, help: "Random draws for the precision of each figure; 0 for none.")
    var draws = 200

    @Option(parsing: .unconditional, help: "The seed of random draws.")
    var seed: UInt32 = 2020

    @Flag(
        help:
            "Keep statistics alone in memory, not each sound's embeddings: for very large sets; then there is only the Fréchet distance."
    )
    var statisticsOnly = false

    @OptionGroup var computing: ComputeOptions

    @OptionGroup var memory: MemoryOption

    @Flag(help: "Print JSON for programs.")
    var json = false

    @Flag(name: [.short, .long], help: "Print nothing but errors and figures.")
    var quiet = false

    func validate() throws {
        if let plot { try validatePicture(plot, option: "--plot") }
        guard (0...100_000).contains(draws) else { throw ValidationError("--draws \(draws): choose 0 to 100000.") }
        guard !judge.isEmpty else { throw ValidationError("--judge is empty: name log-mel or a model file.") }
        if let saveStatistics {
            guard saveStatistics.hasSuffix(EvaluationSets.statisticsExtension) else {
                throw ValidationError(
                    "--save-statistics \(saveStatistics): name a file that ends in \(EvaluationSets.statisticsExtension)."
                )
            }
            try requireDistinct(output: saveStatistics, from: [generated, reference])
        }
        if statisticsOnly, plot != nil {
            throw ValidationError("--plot draws single sounds, which --statistics-only does not keep: leave one out.")
        }
    }

    func run() async throws {
        if let plot { try AudioClip.checkSpectrogramWritable(plot) }
        let command = self
        let note = cache.map { "what was heard is kept in \($0): the same command goes on from here" }
        try await untilInterrupted(note: quiet ? nil : note) { try command.evaluate() }
    }

    private func evaluate() throws {
        let judge = try makeJudge()
        let sets = try EvaluationSets(judge: judge, rules: EvaluationProtocol(rules), command: self)
        let heard = try sets.hear(generated)
        let other = try reference.map { try sets.hear($0) }
        if let saveStatistics { try sets.statistics(of: heard).write(to: saveStatistics) }
        let damaged = ([heard, other].compactMap(\.self)).flatMap(\.damaged)
        for file in damaged { printNote("Error: \(file.file): \(file.reason)") }
        // Statistics alone may be all that was wanted.
        if reference != nil || saveStatistics == nil || !(heard.sounds.allSatisfy { $0.item.prompt == nil }) {
            try report(sets, heard, other)
        } else if !quiet {
            printNote(
                "\(saveStatistics ?? ""): statistics of \(heard.fileCount) sounds, \(heard.statistics.count) embeddings"
            )
        }
        if !damaged.isEmpty { throw ExitCode.failure }
    }

    private func report(_ sets: EvaluationSets, _ heard: HeardSet, _ other: HeardSet?) throws {
        var evaluator = Evaluator(sets.judge, sets.rules)
        (evaluator.draws, evaluator.seed) = (draws, seed)
        let line = ProgressLine(quiet: quiet)
        let report = try evaluator.report(generated: heard, reference: other) { what in
            try Task.checkCancellation()
            line.show(what, share: 0)
        }
        line.clear()
        if let plot { try EvaluationPlot(report).write(to: plot) }
        if json {
            print(try Terminal.json(report))
        } else {
            print(EvaluationTable(report).text)
        }
        if !quiet { for warning in report.warnings { printWarning(warning) } }
    }

    private func makeJudge() throws -> any Judge {
        guard judge != LogMelJudge.name else { return LogMelJudge() }
        let made = try ModelJudges.open(
            modelAt: judge, threads: computing.threads, device: computing.device, memoryLimit: memory.limit)
        if let warning = made.deviceWarning { printWarning(warning) }
        return made
    }
}

extension EvaluationProtocol.Name: ExpressibleByArgument {}

/// Sets by what the user called them.
struct EvaluationSets {
    static let statisticsExtension = ".stats"

    let judge: any Judge
    let rules: EvaluationProtocol
    private let listener: SetListener
    private let quiet: Bool

    init(judge: any Judge, rules: EvaluationProtocol, command: EvaluateCommand) throws {
        (self.judge, self.rules, quiet) = (judge, rules, command.quiet)
        let journal = try command.cache.map {
            try EmbeddingJournal(folder: $0, judge: judge.identity, rules: rules)
        }
        listener = SetListener(judge, rules, journal: journal, keepsSounds: !command.statisticsOnly)
    }

    /// - Throws: `EvaluationError`, `CancellationError`.
    func hear(_ path: String) throws -> HeardSet {
        if path.hasSuffix(Self.statisticsExtension) {
            let file = try StatisticsFile(contentsOf: path)
            try file.require(judge.identity, protocolName: rules.name.rawValue, path: path)
            return HeardSet(file, path: path)
        }
        let set = try SoundSet(path)
        let line = ProgressLine(quiet: quiet)
        defer { line.clear() }
        return try listener.hear(set) { done in
            try Task.checkCancellation()
            line.show(
                "hearing \(path)", share: Double(done) / Double(set.items.count),
                detail: "\(done) of \(set.items.count)")
        }
    }

    func statistics(of set: HeardSet) -> StatisticsFile {
        StatisticsFile(
            header: .init(
                judge: judge.identity, protocolName: rules.name.rawValue, width: set.statistics.width,
                count: set.statistics.count, files: set.fileCount),
            statistics: set.statistics)
    }
}
