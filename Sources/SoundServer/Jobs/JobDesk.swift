import AudioLDM2
import FoundationEssentials

/// Takes orders, makes them one after the other or several alike together, and keeps what came of them for a while.
///
/// There is one worker, since each piece of work uses all cores and the whole budget of memory.
package actor JobDesk {
    package nonisolated let models: [ServedModel]
    package nonisolated let limits: ServerLimits
    private var waiting: [Job] = []
    /// What is being made.
    private var current: (jobs: [Job], task: Task<Void, Never>)?
    private var jobs: [String: Job] = [:]
    /// Jobs that have ended, the oldest first.
    private var ended: [Job] = []
    private var isDraining = false
    /// Heard when a job ends.
    private let onEnd: @Sendable (JobState) -> Void

    /// - Parameter models: at least one.
    package init(models: [ServedModel], limits: ServerLimits, onEnd: @escaping @Sendable (JobState) -> Void = { _ in })
    {
        self.models = models
        self.limits = limits
        self.onEnd = onEnd
    }

    // MARK: Orders

    /// Takes an order in, and begins with it as soon as its turn comes.
    /// - Parameter stream: gets the samples while they are made, on the working thread; what it throws ends the work.
    /// - Throws: `OrderError`: for what cannot be made, before any work; of status 503 if too many wait.
    package func submit(
        _ order: SoundOrder, stream: SampleReceiver? = nil
    ) throws -> Job {
        guard !isDraining else { throw OrderError(503, "the server is about to end", retryAfter: 30) }
        guard waiting.count < limits.waitingJobs else {
            throw OrderError(503, "\(waiting.count) jobs wait already", retryAfter: 5)
        }
        let (model, options) = try settle(order)
        let job = Job(order, options: options, model: model, stream: stream)
        forgetOld()
        jobs[job.id] = job
        waiting.append(job)
        tellPositions()
        next()
        return job
    }

    package func job(_ id: String) -> Job? {
        forgetOld()
        return jobs[id]
    }

    /// Jobs that wait, and whether one is being made.
    package var load: (waiting: Int, running: Int) { (waiting.count, current?.jobs.count ?? 0) }

    /// Ends a job: one that waits at once, one that is being made within a step, if nothing else is made with it.
    package func cancel(_ job: Job) {
        waiting.removeAll { $0 === job }
        finish(job) { $0.status = .cancelled }
        if let current, current.jobs.allSatisfy({ $0.state.status.isFinal }) { current.task.cancel() }
        tellPositions()
    }

    /// Forgets a sound that was handed over; what is known of its job stays.
    package func dropFile(of job: Job) { job.dropFile() }

    /// Refuses all that comes from now on, and waits until what was taken in is made.
    package func drain() async {
        isDraining = true
        while let current { await current.task.value }
    }

    /// What an order means for a model of ours.
    private func settle(_ order: SoundOrder) throws -> (ServedModel, SoundOptions) {
        let model = try model(for: order)
        guard order.prompt.utf8.count <= limits.promptBytes else {
            throw OrderError(400, "the prompt has \(order.prompt.utf8.count) bytes; \(limits.promptBytes) are the most")
        }
        guard order.prompt.contains(where: { !$0.isWhitespace }) else {
            throw OrderError(400, "the prompt is empty: say what the sound should be")
        }
        guard (1...limits.candidates).contains(order.candidates) else {
            throw OrderError(400, "\(order.candidates) candidates: choose 1 to \(limits.candidates)")
        }
        guard order.candidates == 1 || model.abilities.contains(.score) else {
            throw OrderError(400, "\(model.name) cannot compare sounds with a prompt: leave out the candidates")
        }
        guard case .score = order.work else { return try (model, options(of: order, for: model)) }
        return (model, SoundOptions())
    }

    private func options(of order: SoundOrder, for model: ServedModel) throws -> SoundOptions {
        guard let pipeline = model.pipeline else { throw OrderError(400, "\(model.name) makes no sounds") }
        do {
            var options = try order.settings.options(profile: pipeline.profile)
            options.memoryLimit = limits.memoryLimit
            options.seed = options.seed ?? UInt64.random(in: 0...UInt64(UInt32.max))
            // A server that makes short sounds alone makes none that are longer because nobody said how long.
            options.seconds = options.seconds ?? min(pipeline.defaultSeconds, limits.seconds)
            var seconds = options.seconds ?? 0
            if case .edit(let plan, let clip) = order.work { seconds = clip.seconds + plan.appendedSeconds }
            guard seconds <= limits.seconds else {
                throw OrderError(400, "\(seconds) seconds: this server makes at most \(limits.seconds)")
            }
            // What cannot be made is said before anybody waits for it.
            switch order.work {
            case .generate:
                _ = try pipeline.record(of: order.prompt, options: options)
                try order.format.requireSupport(
                    sampleRate: options.sampleRate ?? pipeline.sampleRate, encoding: options.encoding)
            case .edit(let plan, let clip):
                try pipeline.requireSupport(by: order.format, editing: clip, plan: plan, encoding: options.encoding)
            case .score: break
            }
            return options
        } catch let error as AudioLDM2Error {
            throw OrderError(error)
        }
    }

    private func model(for order: SoundOrder) throws -> ServedModel {
        if let name = order.model {
            guard let model = models.first(where: { $0.name == name }) else {
                let names = models.map(\.name).joined(separator: ", ")
                throw OrderError(404, "there is no model \(name.debugDescription) here; there are \(names)")
            }
            guard model.abilities.contains(order.ability) else {
                throw OrderError(400, "\(model.name) cannot \(order.ability.rawValue); \(Self.canDo(model))")
            }
            return model
        }
        guard let model = models.first(where: { $0.abilities.contains(order.ability) }) else {
            throw OrderError(400, "no model here can \(order.ability.rawValue)")
        }
        return model
    }

    private static func canDo(_ model: ServedModel) -> String {
        "it can " + model.abilities.map(\.rawValue).joined(separator: ", ")
    }

    // MARK: Work

    /// Begins with what waits longest, if nothing is being made.
    private func next() {
        guard current == nil, let first = waiting.first else { return }
        let batch =
            first.isAlone
            ? [first] : Array(waiting.filter { $0.model.name == first.model.name && !$0.isAlone }.prefix(limits.batch))
        waiting.removeAll { job in batch.contains { $0 === job } }
        let now = Date().timeIntervalSince1970
        for job in batch {
            job.update {
                $0.status = .running
                $0.position = nil
                $0.startedAt = now
            }
        }
        let work = JobWork(batch)
        let task = Task.detached { [self] in
            await work.run { job, file, change in await finish(job, file: file, change) }
            await workEnded()
        }
        current = (batch, task)
        tellPositions()
    }

    private func workEnded() {
        // What nobody finished was given up.
        for job in current?.jobs ?? [] { finish(job) { $0.status = .cancelled } }
        current = nil
        next()
    }

    private func finish(_ job: Job, file: Data? = nil, _ change: (inout JobState) -> Void) {
        guard job.update(file: file, change) else { return }
        ended.append(job)
        onEnd(job.state)
        forgetOld()
    }

    private func tellPositions() {
        for (position, job) in waiting.enumerated() where job.state.position != position {
            job.update { $0.position = position }
        }
    }

    /// Jobs that ended long ago go, and files of the oldest where all take too much.
    private func forgetOld() {
        let oldest = Date().timeIntervalSince1970 - limits.resultSeconds
        while let first = ended.first, (first.state.finishedAt ?? 0) < oldest {
            jobs[first.id] = nil
            ended.removeFirst()
        }
        var bytes = ended.reduce(0) { $0 + ($1.file?.count ?? 0) }
        for job in ended.dropLast() where bytes > limits.resultBytes {
            bytes -= job.file?.count ?? 0
            job.dropFile()
        }
    }
}

extension Job {
    /// Whether it is made by itself: what is changed, chosen among candidates, or leaves while it is made.
    var isAlone: Bool {
        guard case .generate = order.work else { return true }
        return stream != nil || order.candidates > 1
    }
}
