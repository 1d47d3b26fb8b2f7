import Synchronization
import Tokenizers

/// A model's tokenizers, each made when it is first asked for: all texts of a job share them, and they go with it.
package final class PromptTokenizers: Sendable {
    private let file: ModelFile
    private let made = Mutex<[String: any Tokenizer]>([:])

    package init(_ model: some OpenedModel) { file = model.file }

    /// - Throws: also if the model was converted from a file that holds no tokenizers, and none was added.
    package subscript(_ name: String) -> any Tokenizer {
        get throws {
            try made.withLock { made in
                if let known = made[name] { return known }
                let tokenizer = try file.tokenizer(name)
                made[name] = tokenizer
                return tokenizer
            }
        }
    }
}
