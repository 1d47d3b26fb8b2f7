import Tensors

/// Several generations at once: the text encoders and the UNet are loaded once for all of them, and the UNet works on as
/// many as are made alike and memory has room for.
///
/// What fails ends that request alone, unless it is cancellation or a damaged model file.
struct GenerationGroup {
    let requests: [GenerationRequest]
    let context: StageContext
    var report: @Sendable (GroupEvent) -> Void

    /// A request that has not failed so far.
    struct Job {
        let index: Int
        var generation: Generation
        let tokens: [PromptEncoder.Tokens]
        var timer = StageTimer()
        var conditions: [Condition] = []
        var latents: Tensor?
    }

    func run() throws {
        var jobs = try self.jobs()
        guard let plan = try plan(&jobs) else { return }
        context.report(.plan(plan.summary))
        try compute(jobs, in: context.following(plan)) { job, samples in
            let result = try job.generation.result(samples, plan, job.timer)
            report(.finished(result, request: job.index))
        }
    }

    /// What can be made of the requests.
    func jobs() throws -> [Job] {
        try requests.indices.compactMap { index in
            try attempt([index]) {
                let generation = try generation(requests[index], index: index)
                try generation.check()
                return Job(index: index, generation: generation, tokens: try generation.tokens())
            }
        }
    }

    /// All the work.
    /// - Parameters:
    ///   - context: says how to use memory.
    ///   - take: gets the samples of each sound as they are made.
    func compute(_ jobs: [Job], in context: StageContext, take: (Job, [Float]) throws -> Void) throws {
        var jobs = jobs
        for place in jobs.indices {
            // One backend, so that what one sound leaves in its pool serves the next.
            jobs[place].generation.context = context.reporting(to: jobs[place].generation.context.report)
        }
        try encode(&jobs)
        try denoise(&jobs, in: context)
        for job in jobs {
            guard let latents = job.latents else { continue }
            var job = job
            job.latents = nil
            try attempt([job.index]) {
                var first: Tensor? = latents
                var timer = job.timer
                let tokens = job.tokens
                let samples = try job.generation.untilHeard { generation in
                    guard let latents = first.take() else { return try generation.compute(tokens, &timer) }
                    return try generation.samples(of: latents, &timer)
                }
                job.timer = timer
                try take(job, samples)
            }
        }
    }

    /// For all together, or for those that are left when the longest ones, whose needs cannot be met, have failed.
    /// - Returns: nil if none is left.
    private func plan(_ jobs: inout [Job]) throws -> ExecutionPlan? {
        while let longest = try jobs.max(by: { try $0.generation.length().samples < $1.generation.length().samples }) {
            let limit = jobs.compactMap(\.generation.options.memoryLimit).min()
            let plan = try attempt([longest.index]) { [jobs] in
                try MemoryPlanner(
                    context: context, limit: limit, soundBytes: longest.generation.soundBytes(),
                    isGuided: jobs.contains(where: \.generation.isGuided), sounds: jobs.count
                ) { try tryOut(jobs, in: $0) }.plan()
            }
            if let plan { return plan }
            jobs.removeAll { $0.index == longest.index }
        }
        return nil
    }

    /// The same work for a planner, which hears nothing of it.
    func tryOut(_ jobs: [Job], in context: StageContext) throws {
        var (group, jobs) = (self, jobs)
        group.report = { _ in }
        for place in jobs.indices { jobs[place].generation.context = context }
        try group.compute(jobs, in: context) { _, _ in }
    }

    private func generation(_ request: GenerationRequest, index: Int) throws -> Generation {
        var options = request.options
        options.seed = options.seed ?? UInt64.random(in: 0...UInt64(UInt32.max))
        let report = report
        let context = context.reporting(to: { event in
            switch event {
            case .plan: break
            case .progress(let progress): report(.progress(progress, request: index))
            case .warning(let text): report(.warning(text, request: index))
            case .finished(let result): report(.finished(result, request: index))
            }
        })
        return Generation(prompt: request.prompt, options: options, context: context)
    }

    /// Each text once.
    private func encode(_ jobs: inout [Job]) throws {
        guard let first = jobs.first else { return }
        var timer = StageTimer()
        try timer.measure(.encoding) {
            var texts: [PromptEncoder.Tokens: Int] = [:]
            for tokens in jobs.flatMap(\.tokens) where texts[tokens] == nil { texts[tokens] = texts.count }
            let ordered = texts.sorted { $0.value < $1.value }.map(\.key)
            let conditions = try PromptEncoder(context: first.generation.context).encode(ordered)
            for place in jobs.indices {
                let own = jobs[place].tokens.compactMap { texts[$0].map { conditions[$0] } }
                jobs[place].conditions = try jobs[place].generation.conditions(own)
            }
        }
        for place in jobs.indices { jobs[place].timer.add(timer, sharedBy: jobs.count) }
    }

    private func denoise(_ jobs: inout [Job], in context: StageContext) throws {
        guard let first = jobs.first else { return }
        let config = context.model.unetConfig
        let build = { try UNet(config, $0) }
        try first.generation.context.with(PartName.unet, build) { unet in
            for places in Self.batches(of: jobs, at: context.memory.batching.sounds) {
                try denoise(&jobs, at: places, with: unet)
            }
        }
    }

    /// Denoises some jobs that are alike.
    private func denoise(_ jobs: inout [Job], at places: [Int], with unet: UNet) throws {
        let batch = places.map { jobs[$0] }
        var timer = StageTimer()
        let latents = try attempt(batch.map(\.index)) {
            try timer.measure(.denoising) {
                try batch[0].generation.denoise(
                    with: unet, batch.map(\.conditions), seeds: batch.map(\.generation.seed))
            }
        }
        for (sound, place) in places.enumerated() {
            jobs[place].latents = try latents?.outermost(sound..<sound + 1)
            jobs[place].conditions = []
            jobs[place].timer.add(timer, sharedBy: places.count)
        }
    }

    /// Places of jobs that differ in nothing that the UNet would notice but the numbers it is given.
    private static func batches(of jobs: [Job], at most: Int) -> [[Int]] {
        struct Kind: Hashable {
            let options: GenerationOptions
            /// Lengths of the conditions.
            let tokens: [Int]
        }
        let kinds = jobs.map { job in
            var options = job.generation.options
            (options.negativePrompt, options.seed, options.speech, options.condition) = ("", nil, nil, nil)
            return Kind(
                options: options, tokens: job.conditions.flatMap { [$0.loa?.shape[1] ?? 0, $0.states?.shape[1] ?? 0] })
        }
        var batches: [[Int]] = []
        for place in jobs.indices {
            if let alike = batches.lastIndex(where: { kinds[$0[0]] == kinds[place] && $0.count < most }) {
                batches[alike].append(place)
            } else {
                batches.append([place])
            }
        }
        return batches
    }

    /// - Returns: nil if `body` failed, which was reported for all the requests.
    @discardableResult
    private func attempt<Result>(_ indices: [Int], _ body: () throws -> Result) throws -> Result? {
        do {
            return try AudioLDM2Error.translating(body)
        } catch let error as AudioLDM2Error where error.kind != .modelFile {
            for index in indices { report(.failed(error, request: index)) }
            return nil
        }
    }
}
