import CKernels

/// Numbers of the pack's format, version 1.
///
/// A pack is little-endian: a header of 64 bytes, the chunks, the index. Every entry of the index (a tensor or a named
/// file) owns consecutive chunks, each at the next multiple of 64 bytes after the one before, in the order of the
/// index; gaps are zero. So the chunks of an uncompressed tensor are one aligned piece of memory in the mapped file.
package enum PackFormat {
    /// With line ends that a transfer in text mode would change.
    package static let magic: [UInt8] = Array("ALDM\r\n\u{1A}\n".utf8)
    package static let version: UInt32 = 1
    package static let headerByteCount = 64
    package static let alignment = 64
    /// Decompressed bytes of every chunk of an entry but the last.
    package static let chunkByteCount = 1 << 20
    /// Named files are small: tokenizers, configs, licences.
    package static let maximumBlobByteCount = 1 << 28

    /// Features that a reader must know to read a pack.
    package enum Feature {
        package static let zstd: UInt32 = 1
        package static let known: UInt32 = zstd
    }

    /// `offset` rounded up to the alignment. Offsets come from files whose length is an `Int64`: see `advance`.
    static func aligned(_ offset: Int) -> Int { (offset + alignment - 1) / alignment * alignment }

    /// Where the next chunk starts after `count` bytes at `offset`, or nil if that is past `limit`.
    static func advance(_ offset: Int, by count: Int, limit: Int) -> Int? {
        let (end, overflow) = offset.addingReportingOverflow(count)
        guard !overflow, count >= 0, end <= limit else { return nil }
        return min(aligned(end), limit)
    }

    /// Checksum of a stored chunk. The seed is its place, so a chunk that moved does not pass.
    package static func checksum(_ bytes: UnsafeRawBufferPointer, entry: Int, chunk: Int) -> UInt64 {
        kernels_xxh64(
            bytes.baseAddress, bytes.count, UInt64(truncatingIfNeeded: entry) << 32 | UInt64(truncatingIfNeeded: chunk))
    }

    /// Checksum of the header or the index.
    package static func checksum(_ bytes: some Collection<UInt8>) -> UInt64 {
        Array(bytes).withUnsafeBytes { kernels_xxh64($0.baseAddress, $0.count, 0) }
    }
}

/// The first 64 bytes of a pack. Their layout is the same in all versions.
///
/// magic [8] · version u32 · features u32 · file length u64 · index offset u64 · index length u64 · index checksum u64 ·
/// zero u64 · checksum of all this u64
package struct PackHeader: Sendable, Equatable {
    package var version: UInt32 = PackFormat.version
    package var features: UInt32
    package var fileByteCount: UInt64
    package var indexOffset: UInt64
    package var indexByteCount: UInt64
    package var indexChecksum: UInt64

    package init(features: UInt32, fileByteCount: Int, indexOffset: Int, indexByteCount: Int, indexChecksum: UInt64) {
        self.features = features
        self.fileByteCount = UInt64(fileByteCount)
        self.indexOffset = UInt64(indexOffset)
        self.indexByteCount = UInt64(indexByteCount)
        self.indexChecksum = indexChecksum
    }

    package func encoded() -> [UInt8] {
        var writer = ByteWriter()
        for byte in PackFormat.magic { writer.append(byte) }
        writer.append(version)
        writer.append(features)
        writer.append(fileByteCount)
        writer.append(indexOffset)
        writer.append(indexByteCount)
        writer.append(indexChecksum)
        writer.append(UInt64(0))
        writer.append(PackFormat.checksum(writer.bytes))
        return writer.bytes
    }

    /// Reads the header of a file of `fileByteCount` bytes, of which `prefix` holds the first (at most 512).
    /// - Throws: `PackError`: `notAPack`, `truncated`, `damaged`, `unsupportedVersion`, `unsupportedFeatures`, `malformed`.
    init(prefix: [UInt8], fileByteCount found: Int, path: String) throws {
        guard prefix.starts(with: PackFormat.magic) else {
            throw PackError.notAPack(path: path, kind: FileKind.describe(prefix))
        }
        guard prefix.count >= PackFormat.headerByteCount else {
            throw PackError.truncated(path: path, needed: PackFormat.headerByteCount, found: found)
        }
        let header = Array(prefix.prefix(PackFormat.headerByteCount))
        var reader = ByteReader(Array(header.dropFirst(PackFormat.magic.count)), path: path)
        version = try reader.integer("version")
        features = try reader.integer("features")
        fileByteCount = try reader.integer("file length")
        indexOffset = try reader.integer("index offset")
        indexByteCount = try reader.integer("index length")
        indexChecksum = try reader.integer("index checksum")
        _ = try reader.integer("reserved", as: UInt64.self)
        let checksum = try reader.integer("header checksum", as: UInt64.self)

        guard checksum == PackFormat.checksum(header.dropLast(8)) else {
            throw PackError.damaged(path: path, part: "header", offset: 0, reason: "wrong checksum")
        }
        guard version == PackFormat.version else {
            throw PackError.unsupportedVersion(path: path, found: version, supported: PackFormat.version)
        }
        guard features & ~PackFormat.Feature.known == 0 else {
            throw PackError.unsupportedFeatures(path: path, bits: features & ~PackFormat.Feature.known)
        }
    }

    /// The index's place, checked against the file's true length.
    /// - Throws: `PackError`: `truncated`, `malformed`.
    func indexRange(fileByteCount found: Int, path: String) throws -> Range<Int> {
        guard let stated = Int(exactly: fileByteCount) else {
            throw PackError.malformed(path: path, field: "file length", reason: "\(fileByteCount) bytes")
        }
        guard found >= stated else { throw PackError.truncated(path: path, needed: stated, found: found) }
        guard found == stated else {
            throw PackError.malformed(path: path, field: "file length", reason: "\(found - stated) bytes too many")
        }
        guard let start = Int(exactly: indexOffset), let count = Int(exactly: indexByteCount),
            start >= PackFormat.headerByteCount, start <= stated, count == stated - start
        else {
            throw PackError.malformed(
                path: path, field: "index offset", reason: "\(indexByteCount) bytes at byte \(indexOffset) of \(stated)"
            )
        }
        return start..<stated
    }
}
