import Files

/// What can be wrong with a checkpoint. Every message names the file, the tensor or field, and what to do.
package enum CheckpointError: Error, CustomStringConvertible, Sendable, Equatable {
    /// A file or folder that cannot be opened or read.
    case unreadable(path: String, reason: String)
    /// A file that cannot be written.
    case unwritable(path: String, reason: String)
    /// A file that was not fetched with its repository.
    case pointer(file: String)
    /// A part of the checkpoint that is not there.
    case missing(path: String, remedy: String)
    /// A file that breaks its format's rules.
    case malformed(file: String, reason: String)
    /// A pickle that asks for something that no tensor needs.
    case forbidden(file: String, what: String)
    /// A tensor whose header entry cannot be true.
    case invalidTensor(file: String, tensor: String, reason: String)
    /// A tensor of integers or of a format that weights are not published in.
    case unsupportedType(location: String, type: ElementType)
    /// A key that was asked for and does not exist.
    case noSuchTensor(file: String, tensor: String)
    /// A JSON file with a field that is absent or has another type.
    case invalidField(file: String, field: String, reason: String)
    /// A line of a text that does not say what it should.
    case invalidLine(file: String, line: Int, reason: String)

    package var description: String {
        switch self {
        case .unreadable(let path, let reason):
            "cannot read \(path): \(reason)"
        case .unwritable(let path, let reason):
            "cannot write \(path): \(reason)"
        case .pointer(let file):
            "\(file): \(GitPointer.message)"
        case .missing(let path, let remedy):
            "\(path) is missing; \(remedy)"
        case .malformed(let file, let reason):
            "\(file): \(reason); the file is damaged or of another kind, so copy or download it again"
        case .forbidden(let file, let what):
            "\(file): the pickle in it \(what), which tensors do not need; nothing was run; "
                + "save the tensors alone (a state_dict), or use a file from a source that you trust"
        case .invalidTensor(let file, let tensor, let reason):
            "\(file): tensor \(tensor.quoted): \(reason); the file is damaged, so copy or download it again"
        case .unsupportedType(let location, let type):
            "\(location): is stored as \(type.rawValue), which holds no weights; "
                + "save the checkpoint as float32, float16 or bfloat16"
        case .noSuchTensor(let file, let tensor):
            "\(file): there is no tensor \(tensor.quoted)"
        case .invalidField(let file, let field, let reason):
            "\(file): field \(field.quoted) \(reason)"
        case .invalidLine(let file, let line, let reason):
            "\(file), line \(line): \(reason)"
        }
    }
}

extension String {
    /// Quoted for a message: names come from files, so control characters are escaped and the length is bounded.
    package var quoted: String {
        let limit = 200
        let text = unicodeScalars.prefix(limit).reduce(into: "") { text, scalar in
            text += scalar.properties.generalCategory == .control ? scalar.escaped(asASCII: true) : String(scalar)
        }
        return "'" + text + (unicodeScalars.count > limit ? "…" : "") + "'"
    }
}
