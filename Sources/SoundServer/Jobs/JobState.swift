import AudioLDM2

/// What a client is told about a job.
package struct JobState: Codable, Sendable, Hashable {
    /// Where a job is on its way.
    package enum Status: String, Codable, Sendable {
        case queued, running, completed, failed, cancelled

        package var isFinal: Bool { self != .queued && self != .running }
    }

    /// How far the work has come.
    package struct Progress: Codable, Sendable, Hashable {
        /// "encoding", "denoising", "decoding" or "vocoding".
        package var stage: String
        package var completed: Int
        package var total: Int
        /// Of all of the work, 0…1, as far as that can be told.
        package var share: Double
        /// Seconds that it may still take; nil as long as nobody can tell.
        package var secondsLeft: Double?
    }

    /// What went wrong.
    package struct Failure: Codable, Sendable, Hashable {
        /// One sentence, for people.
        package var message: String
        /// The HTTP status of the same error elsewhere.
        package var status: Int
    }

    /// What was made.
    package struct Outcome: Codable, Sendable, Hashable {
        /// "wav", "flac" …
        package var format: String?
        package var bytes: Int?
        /// Length of the sound.
        package var seconds: Double?
        /// Gives the same sound again.
        package var seed: UInt64?
        /// How well the sound fits the prompt, −1…1, where it was compared.
        package var score: Double?
        /// How the sound came about: what its file says too.
        package var record: SoundRecord?
    }

    /// Nobody can guess it.
    package let id: String
    package let operation: String
    package let model: String
    package let prompt: String
    package var status = Status.queued
    /// Jobs that are before it; of those that wait.
    package var position: Int?
    /// Seconds since 1970.
    package let createdAt: Double
    package var startedAt: Double?
    package var finishedAt: Double?
    package var progress: Progress?
    package var warnings: [String] = []
    package var error: Failure?
    package var result: Outcome?

    package enum CodingKeys: String, CodingKey {
        case id, operation, model, prompt, status, position, progress, warnings, error, result
        case createdAt = "created_at"
        case startedAt = "started_at"
        case finishedAt = "finished_at"
    }

    package init(id: String, operation: String, model: String, prompt: String, createdAt: Double) {
        self.id = id
        self.operation = operation
        self.model = model
        self.prompt = prompt
        self.createdAt = createdAt
    }
}

extension JobState.Progress {
    package enum CodingKeys: String, CodingKey {
        case stage, completed, total, share
        case secondsLeft = "seconds_left"
    }

    /// Progress of a stage as a share of the whole: where the work begins and ends in each stage is what it usually takes.
    /// - Parameter elapsed: seconds since the job began.
    init(_ progress: SoundProgress, elapsed: Double) {
        let ends: (Double, Double) =
            switch progress.stage {
            case .encoding: (0, 0.1)
            case .denoising: (0.1, 0.75)
            case .decoding: (0.75, 0.85)
            default: (0.85, 1)
            }
        let done = Double(progress.completed) / Double(max(progress.total, 1))
        let share = ends.0 + (ends.1 - ends.0) * min(max(done, 0), 1)
        self.init(
            stage: progress.stage.rawValue, completed: progress.completed, total: progress.total, share: share,
            secondsLeft: share > 0.15 ? elapsed * (1 - share) / share : nil)
    }
}
