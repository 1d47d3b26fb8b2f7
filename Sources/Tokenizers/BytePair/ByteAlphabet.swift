/// How byte-level BPE writes bytes in its files: printable Latin-1 as it is, the other 68 as U+0100 and on.
/// Follows `bytes_to_unicode` in GPT-2's `encoder.py`.
enum ByteAlphabet {
    /// By byte.
    static let scalars: [Unicode.Scalar] = {
        let printable: [ClosedRange<UInt8>] = [0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF]
        var substitute: UInt16 = 0x100
        return (UInt8.min...UInt8.max).map { byte in
            if printable.contains(where: { $0.contains(byte) }) { return Unicode.Scalar(byte) }
            defer { substitute += 1 }
            return Unicode.Scalar(substitute) ?? Unicode.Scalar(byte)
        }
    }()

    private static let bytes = Dictionary(uniqueKeysWithValues: zip(scalars, UInt8.min...UInt8.max))

    /// The bytes that a token stands for; nil if it is not written in the alphabet.
    static func bytes(of token: ArraySlice<UInt8>) -> [UInt8]? {
        var result: [UInt8] = []
        for scalar in String(decoding: token, as: UTF8.self).unicodeScalars {
            guard let byte = bytes[scalar] else { return nil }
            result.append(byte)
        }
        return result
    }
}
