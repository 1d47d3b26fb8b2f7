/// One sound to be made.
public struct SoundRequest: Sendable, Hashable {
    /// What the sound should be.
    public var prompt: String
    /// How it is to be made.
    public var options: SoundOptions

    /// A sound of a prompt.
    public init(prompt: String, options: SoundOptions = .init()) {
        self.prompt = prompt
        self.options = options
    }
}
