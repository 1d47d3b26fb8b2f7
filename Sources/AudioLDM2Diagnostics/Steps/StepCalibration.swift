import AudioLDM2
import Diffusion
import Tensors
import WeightFile

/// Measures how far sounds are from what endless steps would make of the same noise, and searches which steps of a way may
/// do with the denoiser's highest levels alone.
///
/// The search is greedy and its result a fixed mask (as in BudCache and other searches for a budget of evaluations): from all
/// steps whole, the one is spared without which sounds change least, again and again.
public struct StepCalibration: Sendable {
    private let context: GenerationContext
    private let prompts: [String]
    private let seeds: Range<UInt64>
    private let seconds: Double?
    private let steps: Int
    private let policies: [StepPolicy]
    /// Why a GPU that is there is not used; nil if one is, or there is none, or the CPU was asked for.
    public var deviceWarning: String? { context.deviceWarning }

    /// Steps of the way that is taken for the solution.
    private static let endless = 250
    /// Sounds that a search listens to, of all: it makes each dozens of times.
    private static let searched = 16
    /// The way that others are compared with: what was made before there was a choice.
    private static let line = DenoisedSound.Way(
        kind: .dpmpp, steps: SoundOptions.Quality.exact.numInferenceSteps, levels: .configured)

    /// - Parameters:
    ///   - prompts: what sounds are made of; at least one.
    ///   - seeds: sounds of each prompt, at least one.
    ///   - seconds: of each sound; nil for the length that the model was trained on.
    ///   - steps: of the ways whose policies are searched, at least 4.
    ///   - policies: to be measured instead of a search, in letters as `save(_:to:)` takes them.
    /// - Throws: `AudioLDM2Error`.
    public init(
        modelAt path: String, prompts: [String], seeds: Int = 2, seconds: Double? = nil, steps: Int = 10,
        policies: [String] = [], threads: Int? = nil, device: ComputeDevice? = nil
    ) async throws {
        guard !prompts.isEmpty, (1...64).contains(seeds), (4...100).contains(steps) else {
            throw AudioLDM2Error(
                .invalidOption,
                "\(prompts.count) prompts, \(seeds) seeds, \(steps) steps: choose at least a prompt, 1…64 seeds, 4…100 steps"
            )
        }
        self.policies = try policies.map { letters in
            guard let policy = StepPolicy(letters), policy.steps.count >= 4 else {
                throw AudioLDM2Error(
                    .invalidOption,
                    "a policy \(letters.quoted): give a letter w or - for each of at least 4 steps, w first")
            }
            return policy
        }
        context = try await onOwnThread { _ in
            try AudioLDM2Error.translating {
                try GenerationContext(Model(opening: path), threads: threads, device: device)
            }
        }
        try Self.check(context.model, seconds: seconds)
        self.prompts = prompts
        self.seeds = 1..<UInt64(seeds) + 1
        self.seconds = seconds
        self.steps = steps
    }

    /// - Throws: `AudioLDM2Error` for a model of which nothing can be found out this way.
    private static func check(_ model: Model, seconds: Double?) throws {
        let path = model.pack.path
        try model.requireTextEncoders()
        guard try model.schedulerConfig.takesAnyLevels(.dpmpp) else {
            throw AudioLDM2Error(
                .invalidOption, "\(path): its scheduler's config says which noise levels there are; it is always exact")
        }
        guard model.schedulerConfig.trainSteps >= endless else {
            throw AudioLDM2Error(
                .invalidOption,
                "\(path): was trained with \(model.schedulerConfig.trainSteps) steps, fewer than the \(endless) that are taken "
                    + "for endless")
        }
        // Longer sounds are made in windows of that length.
        if let seconds, seconds > model.defaultSeconds {
            throw AudioLDM2Error(
                .invalidOption,
                "\(seconds) seconds: choose at most \(model.defaultSeconds), the length that \(path) was trained on")
        }
    }

    /// Finds out before any work whether a model could be written.
    /// - Throws: `AudioLDM2Error`.
    package static func checkWritable(_ path: String) throws {
        try AudioLDM2Error.translating { try PackWriter.checkWritable(path) }
    }

    /// Measures ways of several lengths without sparing anything, then what sparing costs.
    /// - Parameter onRow: hears of each as soon as it is known, on the working thread.
    /// - Throws: `AudioLDM2Error`; `CancellationError`.
    public func run(
        onProgress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in },
        onRow: @escaping @Sendable (Report.Row) -> Void = { _ in }
    ) async throws -> Report {
        try await onOwnThread { cancellation in
            let context = self.context.cancelled(by: cancellation)
            try context.model.requireTextEncoders()
            return try AudioLDM2Error.translating {
                let sounds = try self.sounds(in: context)
                return try context.withUNet { unet in
                    var work = StepSearch(
                        sounds: sounds, unet: unet, context: context, endless: Self.endless, onProgress: onProgress)
                    return try measure(&work, onRow)
                }
            }
        }
    }

    private func sounds(in context: GenerationContext) throws -> [DenoisedSound] {
        let length = try ClipLength(seconds: seconds ?? context.model.defaultSeconds, model: context.model)
        let encoder = PromptEncoder(context: context)
        let speech: SoundOptions.Speech? = context.model.speaks ? .phonemes("wɪʃ juː hɐv ɐ ɡʊd dˈeɪ") : nil
        let tokens = try prompts.map { try encoder.tokenize($0, negative: "", speech: speech) }
        let conditions = try encoder.encode(tokens.flatMap(\.self))
        return prompts.enumerated().flatMap { index, prompt in
            let own = Array(conditions[2 * index..<2 * index + 2])
            return seeds.map { DenoisedSound(prompt: prompt, conditions: own, length: length, seed: $0) }
        }
    }

    private func measure(_ work: inout StepSearch, _ onRow: (Report.Row) -> Void) throws -> Report {
        var rows: [Report.Row] = []
        func add(_ row: Report.Row) {
            rows.append(row)
            onRow(row)
        }
        let line = try work.row("\(Self.line.steps) steps of the reference", Self.line)
        add(line)
        if !policies.isEmpty {
            let measured = try measure(policies, &work, add)
            return report(rows, measured, line)
        }
        for (kind, counts) in [(SchedulerKind.unipc, [8, 9, 10, 11, 12, 14, 18, 25]), (.dpmpp, [8, 10, 12, 14, 25])] {
            for count in counts {
                let name = "\(count) steps, \(kind.rawValue), even levels"
                add(try work.row(name, DenoisedSound.Way(kind: kind, steps: count)))
            }
        }
        if seeds.count > 1 { add(try work.otherSeeds()) }
        let all = DenoisedSound.Way(steps: steps)
        add(try work.row("\(steps) steps, all whole", all))
        let found = try measure(work.search(all, sounds: Self.searched), &work, add)
        return report(rows, found, line)
    }

    private func measure(
        _ policies: [StepPolicy], _ work: inout StepSearch, _ add: (Report.Row) -> Void
    ) throws -> [Report.Policy] {
        try policies.map { policy in
            var way = DenoisedSound.Way(steps: policy.steps.count)
            way.policy = policy
            let row = try work.row(policy.letters, way)
            add(row)
            return Report.Policy(steps: policy.letters, row: row)
        }
    }

    private func report(_ rows: [Report.Row], _ policies: [Report.Policy], _ line: Report.Row) -> Report {
        Report(
            model: context.model.pack.path, prompts: prompts.count, seeds: seeds.count, endless: Self.endless,
            rows: rows, policies: policies, line: line)
    }

    /// Writes the model with a policy for `SoundOptions.Quality.faster`.
    /// - Parameter letters: one for each step, "w" for a whole one, "-" for one that spares work.
    /// - Throws: `AudioLDM2Error`; an older file at `path` stays as it was.
    public func save(_ letters: String, to path: String) async throws {
        let pack = context.model.pack
        var defaults = context.model.defaults
        defaults.fasterSteps = letters
        let encoded = try defaults.encoded()
        try await onOwnThread { _ in
            try AudioLDM2Error.translating {
                let writer = try PackWriter(path: path, compression: pack.isCompressed ? .zstd(level: 3) : .none)
                try pack.copy(to: writer, replacing: [ModelDefaults.blobName: encoded])
                try writer.finish()
            }
        }
    }
}
