import Files

/// Everything that can go wrong with a pack, with the file's path and what to do about it.
///
/// Cancelled work throws `CancellationError` instead.
package enum PackError: Error, Sendable, Equatable {
    // MARK: Opening

    case notFound(path: String)
    case unreadable(path: String, reason: String)
    /// The file is something else; `kind` says what it looks like.
    case notAPack(path: String, kind: String)
    case unsupportedVersion(path: String, found: UInt32, supported: UInt32)
    /// The pack needs features (a bit each) that this reader does not know.
    case unsupportedFeatures(path: String, bits: UInt32)
    /// The file should have `needed` bytes and has `found`.
    case truncated(path: String, needed: Int, found: Int)
    /// Bytes at `offset` are not those that were written; `part` names the header, the index, or a tensor's chunk.
    case damaged(path: String, part: String, offset: Int, reason: String)
    /// The file is intact, but what `field` says is impossible.
    case malformed(path: String, field: String, reason: String)

    // MARK: Using

    case missingComponent(path: String, name: String, available: [String])
    case missingBlob(path: String, name: String, available: [String])
    /// `siblings` are tensors that exist under the same parent.
    case missingTensor(path: String, tensor: String, expected: String, siblings: [String])
    case wrongShape(path: String, tensor: String, expected: String, found: String)
    case outOfMemory(path: String, part: String, bytes: Int)
    /// Somebody wrote to the file; `part` is not what it was.
    case changedInUse(path: String, part: String)

    // MARK: Writing

    case writeFailed(path: String, operation: String, reason: String)
    case diskFull(path: String, operation: String, offset: Int)
    /// The caller asked for something that a pack cannot hold.
    case unwritable(path: String, part: String, reason: String)
    /// A model asks for one path in two ways.
    case conflictingRequirements(tensor: String, first: String, second: String)
    /// A model, built from a configuration, asks for something that no weight can be.
    case impossibleRequirement(tensor: String, reason: String)
}

extension PackError {
    /// What a pack's file could not be written for.
    init(_ error: FileError, path: String) {
        self =
            error.isDiskFull
            ? .diskFull(path: path, operation: error.operation, offset: error.offset)
            : .writeFailed(path: path, operation: error.operation, reason: error.reason)
    }
}

extension PackError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .notFound(let path):
            "\(path): no such file"
        case .unreadable(let path, let reason):
            "\(path): cannot be read: \(reason)"
        case .notAPack(let path, let kind):
            "\(path): not a pack (.aldm), it looks like \(kind); make a pack with audioldm2-convert"
        case .unsupportedVersion(let path, let found, let supported):
            "\(path): pack version \(found), this program reads version \(supported); "
                + (found > supported ? "use a newer program" : "convert the checkpoint again")
        case .unsupportedFeatures(let path, let bits):
            "\(path): needs features 0x\(String(bits, radix: 16)) that this program does not know; use a newer program"
        case .truncated(let path, let needed, let found):
            "\(path): truncated: needs \(needed) bytes, has \(found); copy or download it again"
        case .damaged(let path, let part, let offset, let reason):
            "\(path): damaged: \(part) at byte \(offset): \(reason); copy or download the file again"
        case .malformed(let path, let field, let reason):
            "\(path): malformed pack: \(field): \(reason); convert the checkpoint again"
        case .missingComponent(let path, let name, let available):
            "\(path): no component \"\(name)\"; there is \(Self.list(available))"
        case .missingBlob(let path, let name, let available):
            "\(path): no file \"\(name)\" inside; there is \(Self.list(available))"
        case .missingTensor(let path, let tensor, let expected, let siblings):
            "\(path): \(tensor): expected \(expected), found no such tensor; beside it there is \(Self.list(siblings))"
        case .wrongShape(let path, let tensor, let expected, let found):
            "\(path): \(tensor): expected \(expected), found \(found)"
        case .outOfMemory(let path, let part, let bytes):
            "\(path): not enough memory: \(bytes) bytes for \(part)"
        case .changedInUse(let path, let part):
            "\(path): was changed while it was used: \(part) is not what it was; copy it again, and put models in their "
                + "place by renaming them (mv)"
        case .writeFailed(let path, let operation, let reason):
            "\(path): cannot \(operation): \(reason)"
        case .diskFull(let path, let operation, let offset):
            "\(path): disk full: cannot \(operation) at byte \(offset); free space or choose another folder"
        case .unwritable(let path, let part, let reason):
            "\(path): cannot store \(part): \(reason)"
        case .conflictingRequirements(let tensor, let first, let second):
            "\(tensor): asked for as \(first) and as \(second)"
        case .impossibleRequirement(let tensor, let reason):
            "\(tensor): the configuration asks for a weight with \(reason)"
        }
    }

    /// Up to eight names, quoted by nothing but commas.
    private static func list(_ names: [String]) -> String {
        guard !names.isEmpty else { return "nothing" }
        let rest = names.count - 8
        return names.prefix(8).joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
    }
}
