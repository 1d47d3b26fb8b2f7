/// One sound to be made.
public struct GenerationRequest: Sendable, Hashable {
    public var prompt: String
    public var options: GenerationOptions

    public init(prompt: String, options: GenerationOptions = .init()) {
        self.prompt = prompt
        self.options = options
    }
}
