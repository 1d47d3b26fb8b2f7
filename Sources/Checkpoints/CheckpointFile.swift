/// One file of tensors, of whichever format.
package enum CheckpointFile {
    /// Extensions of files that PyTorch writes.
    package static let torchExtensions = ["bin", "pth", "pt", "ckpt"]

    /// Opens a file by what it holds, not by its name.
    /// - Throws: `CheckpointError`.
    package static func open(path: String, name: String) throws -> any CheckpointSource {
        let input = try InputFile(path: path, name: name)
        let start = try input.bytes(at: 0, count: min(input.size, 9))
        // A safetensors file is a length and then a JSON object.
        let isSafetensors = start.count == 9 && start[8] == UInt8(ascii: "{")
        return isSafetensors
            ? try SafetensorsFile(path: path, name: name) : try TorchFile(path: path, name: name)
    }
}
