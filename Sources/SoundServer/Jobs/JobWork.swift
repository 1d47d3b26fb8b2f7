import AudioLDM2
import FoundationEssentials

/// The making of a job, or of several sounds that are made together.
struct JobWork: Sendable {
    typealias Finish = @Sendable (_ job: Job, _ file: Data?, _ change: @Sendable (inout JobState) -> Void) async -> Void

    private let jobs: [Job]
    private let assignments: [Job.Assignment]

    /// - Parameter jobs: none that has ended.
    init(_ jobs: [Job]) {
        let open = jobs.compactMap { job in job.assignment.map { (job, $0) } }
        self.jobs = open.map(\.0)
        assignments = open.map(\.1)
    }

    /// Does all, and tells `finish` what came of each job. One that it is not told of was given up.
    func run(_ finish: Finish) async {
        do {
            guard let job = jobs.first, let assignment = assignments.first else { return }
            if case .score(let sound) = assignment.order.work {
                let score = try await score(sound, for: assignment.order.prompt, by: job.model)
                let outcome = JobState.Outcome(score: score)
                return await finish(job, nil) {
                    $0.status = .completed
                    $0.result = outcome
                }
            }
            guard let events = try events(of: assignment, by: job.model) else { return }
            for try await event in events { try await take(event, finish) }
        } catch is CancellationError {
            return
        } catch {
            let failure = Self.failure(error)
            for job in jobs { await finish(job, nil) { Self.fail(&$0, failure) } }
        }
    }

    /// What is reported while sounds are made.
    private func events(
        of assignment: Job.Assignment, by model: ServedModel
    ) throws -> AsyncThrowingStream<SoundEvent, any Error>? {
        guard let pipeline = model.pipeline else { return nil }
        let (order, options) = (assignment.order, assignment.options)
        switch order.work {
        case .generate:
            guard assignment.isAlone else {
                return pipeline.events(
                    of: assignments.map { SoundRequest(prompt: $0.order.prompt, options: $0.options) })
            }
            if let stream = assignment.stream {
                let record = try pipeline.record(of: order.prompt, options: options)
                let rate = options.sampleRate ?? pipeline.sampleRate
                return pipeline.events(order.prompt, options: options) { try stream($0, rate, record) }
            }
            return pipeline.events(ranking: order.candidates, of: order.prompt, options: options)
        case .edit(let plan, let clip):
            return order.candidates > 1
                ? pipeline.events(ranking: order.candidates, editing: clip, order.prompt, plan: plan, options: options)
                : pipeline.events(editing: clip, order.prompt, plan: plan, options: options)
        case .score:
            return nil
        }
    }

    private func take(_ event: SoundEvent, _ finish: Finish) async throws {
        switch event {
        case .progress(let progress):
            // Of sounds that are made together, all are where the first is; of candidates there is one job.
            let now = Date().timeIntervalSince1970
            for job in jobs {
                job.update { state in
                    state.progress = .init(progress, elapsed: now - (state.startedAt ?? now))
                }
            }
        case .warning(let warning):
            let about = warning.sound.flatMap { jobs.indices.contains($0) ? [jobs[$0]] : nil } ?? jobs
            for job in about { job.update { $0.warnings.append(warning.description) } }
        case .finished(let result):
            await complete(jobs.count == 1 ? 0 : result.sound, result, finish)
        case .failed(let failure):
            let reason = Self.failure(failure.error)
            await finish(jobs.count == 1 ? jobs[0] : jobs[failure.sound], nil) { Self.fail(&$0, reason) }
        default: break
        }
    }

    private func complete(_ index: Int, _ result: SoundResult, _ finish: Finish) async {
        let (job, assignment) = (jobs[index], assignments[index])
        do {
            let format = job.format
            let file =
                assignment.stream == nil
                ? try result.clip.data(as: format, encoding: assignment.options.encoding, record: result.record) : nil
            let outcome = JobState.Outcome(
                format: file == nil ? nil : format.rawValue, bytes: file?.count, seconds: result.record.seconds,
                seed: result.seed,
                score: result.score, record: result.record)
            await finish(job, file) {
                $0.status = .completed
                $0.result = outcome
            }
        } catch {
            let failure = Self.failure(error)
            await finish(job, nil) { Self.fail(&$0, failure) }
        }
    }

    private func score(_ sound: AudioClip, for prompt: String, by model: ServedModel) async throws -> Double {
        guard let scorer = model.scorer else { throw OrderError(400, "\(model.name) cannot compare sounds") }
        return try await scorer.scores(of: [sound], for: prompt)[0]
    }

    private static func fail(_ state: inout JobState, _ failure: JobState.Failure) {
        state.status = .failed
        state.error = failure
    }

    private static func failure(_ error: any Error) -> JobState.Failure {
        switch error {
        case let error as OrderError: .init(message: error.message, status: error.status)
        case let error as AudioLDM2Error:
            .init(message: OrderError(error).message, status: OrderError(error).status)
        default: .init(message: "\(error)", status: 500)
        }
    }
}
