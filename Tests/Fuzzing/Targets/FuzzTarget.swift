import Audio
import AudioLDM2
import AudioLDM2Converter
import Checkpoints
import Diffusion
import Evaluation
import ListeningTest
import SoundServer
import Tensors
import Tokenizers
import WeightFile

/// A reader of bytes that nobody vouches for, and how to give it some.
///
/// Whatever the bytes are, it must return or throw an error of its own, within `FuzzLimits`.
package struct FuzzTarget: Sendable {
    /// As the command and the folder of its inputs call it.
    package let name: String
    /// What is read, in words.
    package let summary: String
    /// Bytes that made-up inputs have at most.
    package let longest: Int
    /// The file in `Dictionaries` with words that inputs are made up of; nil for none.
    package let dictionary: String?
    private let read: @Sendable (FuzzInput) throws -> Void

    init(
        _ name: String, _ summary: String, longest: Int = 4096, dictionary: String? = nil,
        _ read: @escaping @Sendable (FuzzInput) throws -> Void
    ) {
        (self.name, self.summary, self.longest, self.dictionary) = (name, summary, longest, dictionary)
        self.read = read
    }

    package static let all: [FuzzTarget] =
        packs + checkpoints + tokenizers + configurations + sounds + requests + evaluations

    /// Reads one input.
    package func run(_ bytes: [UInt8]) -> FuzzResult {
        let input = FuzzInput(bytes)
        do {
            try read(input)
            return FuzzResult(declaredBytes: input.declaredBytes, refusal: nil, isTyped: true)
        } catch {
            return FuzzResult(declaredBytes: input.declaredBytes, refusal: error, isTyped: FuzzResult.isTyped(error))
        }
    }
}

/// What came of an input.
package struct FuzzResult {
    /// Bytes that what was read says it has, and so may take.
    package let declaredBytes: Int
    /// Nil for an input that was read.
    package let refusal: (any Error)?
    /// Whether a refusal is an error of ours, which says what is wrong with what.
    package let isTyped: Bool

    static func isTyped(_ error: any Error) -> Bool {
        switch error {
        case is PackError, is CheckpointError, is TokenizerError, is ConfigError, is SchedulerError, is VocabularyError,
            is AudioLDM2Error, is AudioError, is EvaluationError, is ListeningTestError, is OrderError, is AdapterError,
            is MappingError, is QuantizationError, is TensorError:
            true
        default: false
        }
    }
}

/// What reading an input may take.
package enum FuzzLimits {
    /// Of the processor, with sanitizers too.
    package static let seconds = 1.0
    /// Beyond what the input declares its contents to take.
    package static let bytes = 64 << 20
}
