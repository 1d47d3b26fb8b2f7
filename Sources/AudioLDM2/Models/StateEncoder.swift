import Tensors
import WeightFile

/// A text encoder that makes a vector for every token: the second one of a checkpoint.
package protocol StateEncoder: Sendable {
    /// - Parameters:
    ///   - ids: of texts of one length, padding included.
    ///   - masks: 1 for tokens, 0 for padding.
    /// - Returns: `[texts, tokens, width]`.
    func callAsFunction(_ ids: [[Int]], masks: [[Int]], on backend: any Backend) throws -> Tensor
}

/// Which second text encoder a model has.
package enum StateEncoderConfig: Sendable {
    case t5(T5Config)
    case phonemes(PhonemeEncoderConfig)

    /// - Throws: `ConfigError`.
    init(_ component: PackIndex.Component) throws {
        self =
            PhonemeEncoder.classNames.contains(component.className)
            ? .phonemes(try .read(component.config, component: component.name))
            : .t5(try .read(component.config, component: component.name))
    }

    /// Of the states.
    var width: Int {
        switch self {
        case .t5(let config): config.dModel
        case .phonemes(let config): config.hiddenSize
        }
    }

    /// The number of ids.
    package var vocabSize: Int {
        switch self {
        case .t5(let config): config.vocabSize
        case .phonemes(let config): config.vocabSize
        }
    }

    package func encoder(_ weights: WeightScope) throws -> any StateEncoder {
        switch self {
        case .t5(let config): try T5Encoder(config, weights)
        case .phonemes(let config): try PhonemeEncoder(config, weights)
        }
    }
}
