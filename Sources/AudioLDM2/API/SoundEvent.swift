/// What work on sounds reports, whether one is made, several at once, candidates of which the best are kept, or a sound that is
/// changed. Sounds are counted from 0, in the order of the requests; candidates in that of their seeds.
#if hasAttribute(nonexhaustive)
    @nonexhaustive
#endif
public enum SoundEvent: Sendable {
    /// How memory will be used; before any work.
    case plan(MemoryPlan)
    /// How far a sound has come.
    case progress(SoundProgress)
    /// What the caller should know and does not stop the work.
    case warning(SoundWarning)
    /// Once for each sound that is made, or of candidates for those that are kept, best first.
    case finished(SoundResult)
    /// One of several could not be made; the others go on.
    case failed(SoundFailure)
}

/// How far a sound has come.
public struct SoundProgress: Sendable, Hashable {
    /// A part of the work, in its order.
    #if hasAttribute(nonexhaustive)
        @nonexhaustive
    #endif
    public enum Stage: String, Sendable, CaseIterable {
        /// Texts, and for edits the sound, become what the denoiser reads.
        case encoding
        /// Noise becomes latents, step by step.
        case denoising
        /// Latents become a mel spectrogram.
        case decoding
        /// The spectrogram becomes a waveform.
        case vocoding
    }

    /// Of sounds that are made together, the first one's number.
    public var sound = 0
    /// What is being done.
    public let stage: Stage
    /// Steps done, of `total`.
    public let completed: Int
    /// Steps in all.
    public let total: Int
}

/// A prompt that was cut or has words which the model has not learned, a GPU that is not used, a silent sound.
public struct SoundWarning: Sendable, Hashable, CustomStringConvertible {
    /// The sound that it is about; nil if it is about none.
    public let sound: Int?
    /// One sentence, for people.
    public let description: String
}

/// Why one of several sounds could not be made.
public struct SoundFailure: Sendable {
    /// The sound's number among those that were asked for.
    public let sound: Int
    /// What went wrong.
    public let error: AudioLDM2Error
}

/// A finished sound and how it came about.
public struct SoundResult: Sendable {
    /// The sound's number among those that were asked for.
    public let sound: Int
    /// Without samples if they were streamed.
    public let clip: AudioClip
    /// The seed that was used: give it again to get the same sound.
    public let seed: UInt64
    /// What is needed to make a sound of a prompt again, and for edits and conditions what was done; `AudioClip.write(to:record:)`
    /// keeps it in the file.
    public internal(set) var record: SoundRecord
    /// Cosine of the CLAP embeddings of prompt and sound, −1…1; nil if they were not compared.
    public var score: Double? { record.score }
    /// How memory was used.
    public let memoryPlan: MemoryPlan
    /// What the activations of each part took, in bytes, by its name in the model file.
    public let activationBytes: [String: Int]
    /// Wall time of each stage, weights loaded included.
    public let stageSeconds: [SoundProgress.Stage: Double]
}
