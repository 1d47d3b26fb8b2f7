import ArgumentParser
import AudioLDM2

/// What shells complete arguments with.
extension CompletionKind {
    /// Kinds that can be written.
    static var sounds: CompletionKind { .file(extensions: AudioClip.fileExtensions) }

    /// Kinds that libsndfile reads, those that can be written among them.
    static var soundsToRead: CompletionKind {
        let others = ["mp3", "opus", "aif", "aiff", "aifc", "au", "caf", "w64", "rf64"]
        return .file(extensions: AudioClip.fileExtensions + others.filter { !AudioClip.fileExtensions.contains($0) })
    }

    static var pictures: CompletionKind { .file(extensions: ["png"]) }

    static var tensors: CompletionKind { .file(extensions: ["safetensors"]) }
}
