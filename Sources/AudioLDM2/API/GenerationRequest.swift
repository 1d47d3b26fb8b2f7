/// One of several sounds that are made together.
public struct GenerationRequest: Sendable, Hashable {
    public var prompt: String
    public var options: GenerationOptions

    public init(prompt: String, options: GenerationOptions = .init()) {
        self.prompt = prompt
        self.options = options
    }
}

/// What happens while several sounds are made together. Requests are counted from 0.
public enum GroupEvent: Sendable {
    case progress(GenerationProgress, request: Int)
    case warning(String, request: Int)
    /// Comes once for each request unless it fails, in any order.
    case finished(GenerationResult, request: Int)
    /// This one could not be made; the others go on.
    case failed(AudioLDM2Error, request: Int)
}
