import Evaluation
import Synchronization
import Tensors
import WeightFile

/// A network that hears a sound and says numbers of it, for sets of sounds to be compared by.
///
/// One joins by conforming, and by its line in `SoundJudges.all`.
package protocol SoundJudge: Component where Config: SoundJudgeConfig {
    /// For people: "VGGish".
    static var title: String { get }
    /// How a sound is cut into what is heard at once.
    static func windows(_ rules: EvaluationProtocol, _ config: Config) -> WindowRule

    /// - Parameter windows: mono, at the configuration's rate, as `windows` cuts them; all of one length.
    /// - Returns: of each, embeddings `[1 or more, embeddingSize]`; logits `[1, classCount]` of those that name classes.
    func callAsFunction(_ windows: [[Float]], on backend: any Backend) throws -> [Judgement]
}

/// What a network makes of a window.
package struct Judgement {
    package let embeddings: Tensor
    package let logits: Tensor?

    package init(embeddings: Tensor, logits: Tensor? = nil) { (self.embeddings, self.logits) = (embeddings, logits) }
}

extension [[Float]] {
    /// What each window's front end makes of it, which is the host's work, on the threads that the backend computes with.
    package func mapInParallel(
        on backend: any Backend, _ make: @Sendable ([Float]) throws -> [Float]
    ) throws -> [[Float]] {
        let made = Mutex([[Float]](repeating: [], count: count))
        let threads = (backend as? any StageBackend)?.threadCount ?? 1
        try forEachInParallel(count, contexts: [Int](0..<threads)) { index, _ in
            let values = try make(self[index])
            made.withLock { $0[index] = values }
        }
        return made.withLock { $0 }
    }
}

/// What is known of a judge before it is loaded.
package protocol SoundJudgeConfig: ModelConfig {
    /// In Hz.
    var samplingRate: Int { get }
    var embeddingSize: Int { get }
    /// Nil for one that names no classes.
    var classCount: Int? { get }
}

/// The networks that judge and are no part of a model that makes sounds.
package enum SoundJudges {
    package static let all: [any SoundJudge.Type] = [VGGish.self, Cnn14.self, MusicNN.self, PaSST.self]

    /// The one that a model file holds; nil for none.
    package static func of(_ parts: some Sequence<String>) -> (any SoundJudge.Type)? {
        let parts = Set(parts)
        return all.first { parts.contains($0.part) }
    }
}
