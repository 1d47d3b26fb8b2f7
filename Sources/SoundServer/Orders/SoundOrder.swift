import AudioLDM2

/// What a client wants: one sound of a prompt, a sound that is changed, or how well a sound fits a prompt.
package struct SoundOrder: Sendable {
    /// What is to be done.
    package enum Work: Sendable {
        /// A sound of the prompt.
        case generate
        /// A sound that is changed.
        case edit(EditPlan, AudioClip)
        /// How well a sound fits the prompt.
        case score(AudioClip)
    }

    /// As clients call it: "generate", "transform", "inpaint", "extend", "upsample" or "score".
    package var operation: String
    package var work: Work
    /// A model's name; nil for the server's first that can do it.
    package var model: String?
    package var prompt: String
    package var settings: SoundSettings
    package var format: SoundFormat
    /// Sounds that are made, of which the best is kept.
    package var candidates: Int

    package init(
        _ operation: String, _ work: Work, model: String? = nil, prompt: String, settings: SoundSettings = .init(),
        format: SoundFormat = .wav, candidates: Int = 1
    ) {
        self.operation = operation
        self.work = work
        self.model = model
        self.prompt = prompt
        self.settings = settings
        self.format = format
        self.candidates = candidates
    }

    /// Bytes of the samples that came with it.
    var soundBytes: Int {
        switch work {
        case .generate: 0
        case .edit(_, let clip), .score(let clip): clip.samples.count * MemoryLayout<Float>.size
        }
    }

    /// Texts that are read, by the names of their fields.
    var texts: [(field: String, text: String?)] {
        [
            ("prompt", prompt), ("negative_prompt", settings.negativePrompt),
            ("transcription", settings.transcription), ("phonemes", settings.phonemes),
        ]
    }

    /// What a model must be able to do for it.
    var ability: ModelAbility {
        switch work {
        case .generate: settings.transcription == nil && settings.phonemes == nil ? .generate : .speak
        case .edit: .edit
        case .score: .score
        }
    }
}

/// Why a request is not served, as HTTP says it.
package struct OrderError: Error, Sendable, Equatable {
    /// An HTTP status: 400, 404, 413, 503 …
    package let status: Int
    /// One sentence, for people.
    package let message: String
    /// Seconds after which it is worth asking again.
    package var retryAfter: Int?

    package init(_ status: Int, _ message: String, retryAfter: Int? = nil) {
        self.status = status
        self.message = message
        self.retryAfter = retryAfter
    }

    /// An error of the library.
    package init(_ error: AudioLDM2Error) {
        let status =
            switch error.kind {
            case .invalidOption: 400
            // What a client sent: the server's own files are named by no request.
            case .file: 422
            case .outOfMemory: 507
            default: 500
            }
        self.init(status, error.description)
    }
}
