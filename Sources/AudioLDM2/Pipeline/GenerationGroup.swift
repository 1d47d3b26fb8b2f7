import Tensors

/// Several generations at once: the text encoders and the UNet are loaded once for all of them.
///
/// What fails ends that request alone, unless it is cancellation or a damaged model file.
struct GenerationGroup {
    let requests: [GenerationRequest]
    let context: StageContext
    let report: @Sendable (GroupEvent) -> Void

    /// A request that has not failed so far.
    private struct Job {
        let index: Int
        var generation: Generation
        let tokens: [PromptEncoder.Tokens]
        var timer = StageTimer()
        var conditions: [Condition] = []
    }

    func run() throws {
        var jobs = try requests.indices.compactMap { index in
            try attempt(index) {
                let request = requests[index]
                let generation = try generation(request, index: index)
                try generation.check()
                return Job(index: index, generation: generation, tokens: try generation.tokens())
            }
        }
        guard let plan = try plan(&jobs) else { return }
        try encode(&jobs)
        let latents = try denoise(&jobs)
        for (job, latents) in zip(jobs, latents) {
            guard let latents else { continue }
            var timer = job.timer
            let result = try attempt(job.index) {
                try job.generation.result(job.generation.samples(of: latents, &timer), plan, timer)
            }
            if let result { report(.finished(result, request: job.index)) }
        }
    }

    /// What the longest sound needs will do for all of them; those whose needs cannot be met fail.
    /// - Returns: nil if none is left.
    private func plan(_ jobs: inout [Job]) throws -> ExecutionPlan? {
        let ordered = try jobs.map { ($0, try $0.generation.length().samples) }.sorted { $0.1 > $1.1 }.map(\.0)
        for longest in ordered {
            guard let plan = try attempt(longest.index, { try longest.generation.plan(longest.tokens) }) else {
                jobs.removeAll { $0.index == longest.index }
                continue
            }
            // One backend, so that what one sound leaves in its pool serves the next.
            let planned = context.following(plan)
            for place in jobs.indices {
                jobs[place].generation.context = planned.reporting(to: jobs[place].generation.context.report)
            }
            return plan
        }
        return nil
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

    private func encode(_ jobs: inout [Job]) throws {
        var timer = StageTimer()
        try timer.measure(.encoding) {
            let encoder = PromptEncoder(context: jobs[0].generation.context)
            var conditions = try encoder.encode(jobs.flatMap(\.tokens))[...]
            for place in jobs.indices {
                let own = Array(conditions.prefix(jobs[place].tokens.count))
                jobs[place].conditions = try jobs[place].generation.conditions(own)
                conditions = conditions.dropFirst(jobs[place].tokens.count)
            }
        }
        // Nobody's own: an equal share each.
        for place in jobs.indices {
            jobs[place].timer.add(.encoding, (timer.seconds[.encoding] ?? 0) / Double(jobs.count))
        }
    }

    private func denoise(_ jobs: inout [Job]) throws -> [Tensor?] {
        let config = context.model.unetConfig
        let build = { try UNet(config, $0) }
        return try jobs[0].generation.context.with(Model.Part.unet, build) { unet in
            try jobs.indices.map { place in
                let job = jobs[place]
                return try attempt(job.index) {
                    try job.generation.denoise(with: unet, job.conditions, &jobs[place].timer)
                }
            }
        }
    }

    /// - Returns: nil if `body` failed, which was reported.
    private func attempt<Result>(_ index: Int, _ body: () throws -> Result) throws -> Result? {
        do {
            return try AudioLDM2Error.translating(body)
        } catch let error as AudioLDM2Error where error.kind != .modelFile {
            report(.failed(error, request: index))
            return nil
        }
    }
}
