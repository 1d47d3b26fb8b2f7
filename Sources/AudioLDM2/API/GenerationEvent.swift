/// What a running generation reports.
public enum GenerationEvent: Sendable {
    /// How memory will be used; the first event.
    case plan(MemoryPlan)
    case progress(GenerationProgress)
    /// Something the caller should know and that does not stop the work: a prompt that was cut, or that has words
    /// which the model has not learned.
    case warning(String)
    /// The last event.
    case finished(GenerationResult)
}

/// How far a generation has come.
public struct GenerationProgress: Sendable, Hashable {
    public enum Stage: String, Sendable, CaseIterable {
        case encoding
        case denoising
        case decoding
        case vocoding
    }

    public let stage: Stage
    /// Steps done, of `total`.
    public let completed: Int
    public let total: Int
}

/// A finished sound and how it came about.
public struct GenerationResult: Sendable {
    public let clip: AudioClip
    /// The seed that was used: give it again to get the same sound.
    public let seed: UInt64
    /// Everything that is needed to make the sound again; `AudioClip.write(to:record:)` keeps it in the file.
    public internal(set) var record: SoundRecord
    public let memoryPlan: MemoryPlan
    /// What the activations of each part took, by its name in the model file: as planned.
    public let activationBytes: [String: Int]
    /// Wall time of each stage, weights loaded included.
    public let stageSeconds: [GenerationProgress.Stage: Double]
}
