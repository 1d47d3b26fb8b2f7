import Synchronization
import Tensors

/// The tensors of a file that PyTorch wrote (`.pth`, `.pt`, `.ckpt`, `.bin`): the zip format of 1.6 and later, or the
/// older row of pickles.
///
/// The pickle is read by `Unpickler`, which runs nothing. Every tensor's view is checked against its storage, and every
/// storage against the file, before anything is read from it.
package final class TorchFile: CheckpointSource {
    package let tensors: [String: TensorHeader]
    /// What a trainer has put beside the tensors (`epoch`, `optimizer_states`), by name.
    package let extras: [String]
    private let input: InputFile
    private let contents: TorchContents
    private let entries: [String: TorchTensor]
    /// Storages whose bytes have been compared with their checksums.
    private let verified = Mutex<Set<Int>>([])

    package var name: String { input.name }

    /// - Throws: `CheckpointError` if the file cannot be read, breaks its format's rules, or asks for more than tensors.
    package init(path: String, name: String) throws {
        input = try InputFile(path: path, name: name)
        contents =
            try ZipArchive.isPresent(in: input) ? TorchContents(zipped: input) : TorchContents(legacy: input)
        (entries, extras) = try contents.stateDictionary()
        tensors = entries.mapValues { TensorHeader(type: $0.type, shape: $0.shape) }
    }

    package func open(_ key: String) throws -> any SourceTensor {
        let (entry, elements) = try elements(of: key)
        guard entry.type.holdsWeights else {
            throw CheckpointError.unsupportedType(location: elements.location, type: entry.type)
        }
        return try view(entry, of: elements)
    }

    /// Shape and values of a tensor of floats or integers.
    /// - Throws: `CheckpointError` if there is no such tensor or it holds something else.
    package func values(_ key: String) throws -> (shape: Shape, values: [Float]) {
        let (entry, elements) = try elements(of: key)
        guard entry.type.isReadable else {
            throw CheckpointError.unsupportedType(location: elements.location, type: entry.type)
        }
        return (entry.shape, try view(entry, of: elements).readAll())
    }

    private func view(_ entry: TorchTensor, of elements: FileTensor) throws -> any SourceTensor {
        guard entry.isContiguous else { return try GatheredTensor(entry, elements) }
        return FileTensor(
            key: elements.key, type: entry.type, shape: entry.shape, input: input, start: elements.start)
    }

    /// A tensor, and its storage's elements from the first to the last that it reads.
    private func elements(of key: String) throws -> (TorchTensor, FileTensor) {
        guard let entry = entries[key] else { throw CheckpointError.noSuchTensor(file: name, tensor: key) }
        if !verified.withLock({ $0.contains(entry.storage) }) {
            try contents.verify(entry.storage)
            verified.withLock { _ = $0.insert(entry.storage) }
        }
        // Cannot overflow: the view lies in its storage, which lies in the file.
        let start = contents.places[entry.storage].lowerBound + entry.offset * entry.type.byteCount
        return (
            entry, FileTensor(key: key, type: entry.type, shape: [entry.span], input: input, start: start)
        )
    }
}

extension ZipArchive {
    static func isPresent(in input: InputFile) throws -> Bool {
        guard input.size >= signature.count else { return false }
        return try input.bytes(at: 0, count: signature.count) == signature
    }
}
