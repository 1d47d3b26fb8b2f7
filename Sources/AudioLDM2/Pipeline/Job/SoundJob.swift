import Audio
import Tensors

/// Work on sounds, from what was asked for to what is heard: one sound, several that share the loading of weights,
/// candidates of which the best are kept, or a sound that is changed. All of them are resolved once, planned once and run
/// once.
///
/// diffusers `AudioLDM2Pipeline.__call__`.
struct SoundJob {
    var context: GenerationContext
    /// The sound to change, and how; nil if sounds are made of nothing.
    var change: (clip: AudioClip, plan: EditPlan)?
    /// Makes candidates of the only request and chooses what is kept; nil keeps all that is made.
    var ranking: Ranking?
    /// Takes the samples of the only sound as they are ready, in order; the result then has none.
    var receive: (@Sendable ([Float]) throws -> Void)?
    /// Whether what fails ends its sound alone, unless it is cancellation or a damaged model file.
    var isolatesFailures = false
    private(set) var edit: Edit?

    init(_ context: GenerationContext) { self.context = context }

    /// A sound on its way.
    struct Item {
        var request: ResolvedRequest
        let tokens: [PromptEncoder.Tokens]
        var timer = StageTimer()
        var conditions: [Condition] = []
        var latents: Tensor?

        var number: Int { request.number }
    }

    /// Reports what becomes of each request.
    /// - Throws: `AudioLDM2Error`, `CancellationError`.
    func run(_ requests: [SoundRequest]) throws {
        var job = self
        var items = try items(requests)
        if let change, let first = items.first?.request {
            job.edit = try Edit(change.clip, change.plan, for: first, in: context)
        }
        guard let plan = try job.plan(&items) else { return }
        context.report(.plan(plan.summary))
        job.context = context.following(plan)
        if let edit = job.edit, let receive, !edit.untouched.isEmpty { try receive(Array(edit.untouched)) }
        var candidates: [SoundResult] = []
        try job.compute(items) { item, clip, record in
            let result = SoundResult(
                sound: item.number, clip: clip, seed: item.request.seed, record: record, memoryPlan: plan.summary,
                activationBytes: plan.record.activationBytes, stageSeconds: item.timer.seconds)
            if ranking == nil { context.report(.finished(result)) } else { candidates.append(result) }
        }
        guard let ranking else { return }
        for result in try ranking.best(of: candidates, from: job.edit?.start ?? 0, in: job.context) {
            context.report(.finished(result))
        }
    }

    /// What can be made of the requests.
    private func items(_ requests: [SoundRequest]) throws -> [Item] {
        let tokenizers = PromptTokenizers(context.model)
        let items = try requests.indices.compactMap { number in
            try attempt([number]) {
                let request = try ResolvedRequest(requests[number], number: number, in: context)
                let encoder = PromptEncoder(context: context.about(number), tokenizers: tokenizers)
                return Item(request: request, tokens: try request.tokens(encoder))
            }
        }
        guard let ranking, let first = items.first else { return items }
        return first.request.candidates(ranking.count).map { Item(request: $0, tokens: first.tokens) }
    }

    /// What memory a prompt of any length may take.
    func planForAnyPrompt(_ options: SoundOptions) throws -> MemoryPlan {
        var options = options
        if !options.isConditioned, !context.model.missingTextEncoders.isEmpty {
            options.condition = .largest(for: context.model)
            options.negativePrompt = ""
            options.speech = nil
        }
        let request = try ResolvedRequest(SoundRequest(prompt: "", options: options), in: context)
        let tokens =
            options.isConditioned
            ? [] : try PromptEncoder(context: context).longestTokens(count: options.isGuided ? 2 : 1)
        return try plan([Item(request: request, tokens: tokens)], longest: request).summary
    }

    /// All that conditions the denoiser, to be saved.
    func condition(for request: SoundRequest) throws -> SoundCondition {
        try context.model.requireTextEncoders()
        let resolved = try ResolvedRequest(request, in: context)
        let encoder = PromptEncoder(context: context)
        let encoded = try encoder.encode(resolved.tokens(encoder))
        return try SoundCondition(
            prompt: request.prompt, negativePrompt: request.options.negativePrompt,
            resolved.conditions(encoded, on: context.backend))
    }

    /// For all together, or for those that are left when the longest ones, whose needs cannot be met, have failed.
    /// - Returns: nil if none is left.
    private func plan(_ items: inout [Item]) throws -> ExecutionPlan? {
        while let longest = items.max(by: { $0.request.length.samples < $1.request.length.samples }) {
            let candidates = items
            let plan = try attempt([longest.number]) { try self.plan(candidates, longest: longest.request) }
            if let plan { return plan }
            items.removeAll { $0.number == longest.number }
        }
        return nil
    }

    private func plan(_ items: [Item], longest: ResolvedRequest) throws -> ExecutionPlan {
        let own =
            try edit?.soundBytes(results: items.count, of: longest)
            ?? longest.soundBytes(isStreamed: receive != nil)
        let compared = ranking?.soundBytes(samples: edit == nil ? longest.length.samples : 0) ?? 0
        return try context.plan(
            limit: items.compactMap(\.request.options.memoryLimit).min(), soundBytes: own + compared,
            isGuided: items.contains(where: \.request.options.isGuided), sounds: items.count
        ) { context in
            var trial = self
            trial.context = context
            trial.receive = nil
            try trial.compute(items) { _, _, _ in }
            try ranking?.tryOut(in: context)
        }
    }

    /// - Returns: nil if `body` failed, which was reported for all the sounds.
    @discardableResult
    func attempt<Result>(_ sounds: [Int], _ body: () throws -> Result) throws -> Result? {
        guard isolatesFailures else { return try body() }
        do {
            return try AudioLDM2Error.translating(body)
        } catch let error as AudioLDM2Error where error.kind != .modelFile {
            for sound in sounds { context.report(.failed(SoundFailure(sound: sound, error: error))) }
            return nil
        }
    }
}
