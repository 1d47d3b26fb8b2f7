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
    /// Bytes of files that these have.
    private var endedBytes = 0
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

    /// Finds out whether anything more is taken in.
    /// - Throws: `OrderError` of status 503.
    package func requireRoom() throws {
        guard !isDraining else { throw OrderError(503, "the server is about to end", retryAfter: 30) }
        guard waiting.count < limits.waitingJobs else {
            throw OrderError(503, "\(waiting.count) jobs wait already", retryAfter: 5)
        }
    }

    /// Takes an order in, and begins with it as soon as its turn comes.
    /// - Parameter stream: gets the samples while they are made, on the working thread; what it throws ends the work.
    /// - Throws: `OrderError`: for what cannot be made, before any work; of status 503 if too many wait.
    package func submit(
        _ order: SoundOrder, stream: SampleReceiver? = nil
    ) throws -> Job {
        try requireRoom()
        let (model, options) = try settle(order)
        let uploaded = waiting.reduce(0) { $0 + ($1.assignment?.order.soundBytes ?? 0) }
        guard uploaded == 0 || uploaded + order.soundBytes <= limits.uploadedBytes else {
            throw OrderError(503, "too many sounds wait to be changed or judged", retryAfter: 5)
        }
        let job = Job(.init(order: order, options: options, stream: stream), model: model)
        tidy()
        jobs[job.id] = job
        waiting.append(job)
        tellPositions()
        next()
        return job
    }

    package func job(_ id: String) -> Job? { jobs[id] }

    /// Jobs that wait, and those that are being made.
    package var load: (waiting: Int, running: Int) { (waiting.count, current?.jobs.count ?? 0) }

    /// Ends a job: one that waits at once, one that is being made within a step, if nothing else is made with it.
    package func cancel(_ job: Job) {
        waiting.removeAll { $0 === job }
        finish(job) { $0.status = .cancelled }
        if let current, current.jobs.allSatisfy({ $0.state.status.isFinal }) { current.task.cancel() }
        tellPositions()
    }

    /// Forgets a sound that was handed over; what is known of its job stays.
    package func dropFile(of job: Job) { endedBytes -= job.dropFile() }

    /// Refuses all that comes from now on, and waits until what was taken in is made, and a little for those who come for it.
    package func drain() async {
        isDraining = true
        while let current { await current.task.value }
        let end = ContinuousClock.now + .seconds(limits.lastSeconds)
        while ContinuousClock.now < end, ended.contains(where: \.isWaitedFor) {
            try? await Task.sleep(for: .milliseconds(100))
        }
    }

    /// What an order means for a model of ours.
    private func settle(_ order: SoundOrder) throws -> (ServedModel, SoundOptions) {
        let model = try model(for: order)
        for (field, text) in order.texts {
            guard let count = text?.utf8.count, count > limits.textBytes else { continue }
            throw OrderError(400, "\"\(field)\" has \(count) bytes; \(limits.textBytes) are the most")
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
            let record = try pipeline.record(of: order.prompt, options: options)
            try requireBounded(order, seconds: seconds, steps: record.steps)
            // What cannot be made is said before anybody waits for it.
            switch order.work {
            case .generate:
                try order.format.requireSupport(
                    sampleRate: options.sampleRate ?? pipeline.sampleRate, encoding: options.encoding)
            case .edit(let plan, let clip):
                try pipeline.check(plan, editing: clip, storedAs: order.format, encoding: options.encoding)
            case .score: break
            }
            return options
        } catch let error as AudioLDM2Error {
            throw OrderError(error)
        }
    }

    /// - Throws: `OrderError` for what would keep all others waiting for too long.
    private func requireBounded(_ order: SoundOrder, seconds: Double, steps: Int) throws {
        let work = seconds * Double(steps) * Double(order.candidates)
        guard work > limits.work else { return }
        let candidates = order.candidates > 1 ? " × \(order.candidates) candidates" : ""
        throw OrderError(
            400,
            "\(seconds) seconds × \(steps) steps\(candidates) are more work than this server takes (\(limits.work))")
    }

    private func model(for order: SoundOrder) throws -> ServedModel {
        if let name = order.model {
            guard let model = models.first(where: { $0.name == name }) else {
                let names = models.map(\.name).joined(separator: ", ")
                throw OrderError(404, "there is no model \(name.prefix(100).debugDescription) here; there are \(names)")
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
        let isAlone = first.assignment?.isAlone ?? true
        // Nobody is made before one who came earlier.
        let alike = waiting.prefix { $0.model.name == first.model.name && $0.assignment?.isAlone == false }
        let batch = isAlone ? [first] : Array(alike.prefix(limits.batch))
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
        endedBytes += file?.count ?? 0
        onEnd(job.state)
        tidy()
    }

    private func tellPositions() {
        for (position, job) in waiting.enumerated() where job.state.position != position {
            job.update { $0.position = position }
        }
    }

    /// Forgets jobs that ended long ago, and the oldest where there are many; and files of the oldest where all take too much.
    package func tidy() {
        let oldest = Date().timeIntervalSince1970 - limits.resultSeconds
        let expired = ended.prefix { ($0.state.finishedAt ?? 0) < oldest }.count
        let forgotten = max(expired, ended.count - limits.endedJobs)
        if forgotten > 0 {
            for job in ended.prefix(forgotten) {
                jobs[job.id] = nil
                endedBytes -= job.dropFile()
            }
            ended.removeFirst(forgotten)
        }
        guard endedBytes > limits.resultBytes else { return }
        for job in ended.dropLast() where endedBytes > limits.resultBytes { endedBytes -= job.dropFile() }
    }
}
