/// The normalization that SentencePiece compiles into a model (`precompiled_charsmap`): a double-array trie (Darts)
/// whose keys are the UTF-8 of what is replaced, and the replacements, each ended by a zero byte.
///
/// It is applied as Hugging Face's `tokenizers` does, which differs from SentencePiece: grapheme cluster by grapheme
/// cluster. A cluster of less than six bytes is looked up whole; if any key is a prefix of it, the replacement of the
/// *shortest* such key stands for all of it. Otherwise each scalar is looked up by itself.
///
/// Clusters are those of Swift's library. It must know Unicode 17, as the reference does, for marks that are new in
/// that version to count as marks.
package struct CharacterMap: Sendable {
    /// Longer than any normalization form makes one cluster; bounds what a damaged file can make of a text.
    private static let longestReplacement = 1024
    private static let shortCluster = 6

    private let units: [UInt32]
    private let replacements: [UInt8]

    /// - Parameters:
    ///   - bytes: the trie's size in bytes (little-endian), the trie, the replacements.
    ///   - file: for messages.
    /// - Throws: `TokenizerError.invalidField`.
    package init(_ bytes: [UInt8], file: String) throws(TokenizerError) {
        func invalid(_ reason: String) -> TokenizerError {
            .invalidField(file: file, field: "precompiled_charsmap", reason: reason)
        }
        var reader = ByteReader(bytes, file: file)
        guard let size = try? Int(reader.fixed32()), size > 0, size % 4 == 0, size <= reader.remaining else {
            throw invalid("its trie does not fit in its \(bytes.count) bytes")
        }
        units = try (0..<size / 4).map { (_) throws(TokenizerError) in try reader.fixed32() }
        replacements = Array(try reader.bytes(reader.remaining))
        guard let text = String(validating: replacements, as: UTF8.self) else { throw invalid("it is not UTF-8") }
        guard text.utf8.split(separator: 0).allSatisfy({ $0.count <= Self.longestReplacement }) else {
            throw invalid("a replacement is longer than \(Self.longestReplacement) bytes")
        }
    }

    package func normalize(_ text: String) -> String {
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var start = 0
        for cluster in text {
            let end = start + cluster.utf8.count
            if end - start < Self.shortCluster, let replacement = replacement(for: bytes[start..<end]) {
                result += replacement
            } else {
                for scalar in cluster.unicodeScalars {
                    let scalarEnd = start + UTF8.width(scalar)
                    result += replacement(for: bytes[start..<scalarEnd]) ?? bytes[start..<scalarEnd]
                    start = scalarEnd
                }
            }
            start = end
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// What replaces the shortest key that is a prefix of `bytes`.
    private func replacement(for bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        var position = units[0].trieOffset
        for byte in bytes {
            // A zero ends a key.
            guard byte != 0 else { return nil }
            position ^= Int(byte)
            guard position < units.count, units[position].trieLabel == UInt32(byte) else { return nil }
            let unit = units[position]
            position ^= unit.trieOffset
            if unit.hasTrieLeaf {
                guard position < units.count else { return nil }
                return replacement(at: Int(units[position] & 0x7FFF_FFFF))
            }
        }
        return nil
    }

    private func replacement(at start: Int) -> ArraySlice<UInt8>? {
        guard start < replacements.count else { return nil }
        let tail = replacements[start...]
        return tail.prefix { $0 != 0 }
    }
}

/// A unit of Darts-clone's double array.
extension UInt32 {
    /// To the children: XORed with a unit's position and a byte.
    fileprivate var trieOffset: Int { Int((self >> 10) << ((self & 1 << 9) >> 6)) }
    /// The byte that leads here; not a byte if this is a leaf.
    fileprivate var trieLabel: UInt32 { self & 0x8000_00FF }
    fileprivate var hasTrieLeaf: Bool { self >> 8 & 1 == 1 }
}
