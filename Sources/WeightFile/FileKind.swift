import Files

/// Guesses what a file is from its first bytes, for the message when it is not a pack.
enum FileKind {
    /// Bytes that `describe` wants to see.
    static let prefixLength = 512

    private static let signatures: [(bytes: [UInt8], kind: String)] = [
        (Array("PK\u{3}\u{4}".utf8), "a zip archive, perhaps a PyTorch checkpoint (.pth, .bin)"),
        ([0x80, 0x02], "a pickle, perhaps an old PyTorch checkpoint"),
        (Array("GGUF".utf8), "a GGUF model"),
        ([0x28, 0xB5, 0x2F, 0xFD], "zstd data: decompress it first"),
        ([0x1F, 0x8B], "gzip data: decompress it first"),
        ([0xFD, 0x37, 0x7A, 0x58, 0x5A], "xz data: decompress it first"),
        ([0x89, 0x48, 0x44, 0x46], "an HDF5 file"),
        (Array("RIFF".utf8), "a WAV file"),
        (GitPointer.signature, "a Git LFS pointer: fetch the file that it stands for"),
        (Array("<!DOCTYPE".utf8), "a web page"),
        (Array("<html".utf8), "a web page"),
        (Array("{".utf8), "JSON"),
    ]

    /// A noun phrase. `prefix` holds the file's first bytes, at most `prefixLength`.
    static func describe(_ prefix: [UInt8]) -> String {
        if prefix.isEmpty { return "an empty file" }
        if prefix.allSatisfy({ $0 == 0 }) { return "zeros, perhaps an unfinished copy" }
        if isSafetensors(prefix) { return "a safetensors file" }
        if let match = signatures.first(where: { prefix.starts(with: $0.bytes) }) { return match.kind }
        if prefix.count > 262, prefix[257..<262].elementsEqual("ustar".utf8) { return "a tar archive" }
        let isText = prefix.allSatisfy { $0 >= 0x20 && $0 < 0x7F || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }
        return isText ? "text" : "unknown binary data"
    }

    /// A safetensors file starts with the length of its JSON header, 64 bits little-endian.
    private static func isSafetensors(_ prefix: [UInt8]) -> Bool {
        prefix.count > 8 && prefix[8] == UInt8(ascii: "{") && prefix[5] == 0 && prefix[6] == 0 && prefix[7] == 0
    }
}
