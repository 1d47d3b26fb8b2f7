import CKernels
import Files
import FoundationEssentials
import Glibc

/// Statistics of a set as a file, `x.stats`: little-endian
///
/// magic [8] · version u32 · header's length u32 · header (JSON) · mean f64 [width] · scatter f64 (lower triangle by rows) ·
/// xxh64 of all this u64
public struct StatisticsFile: Sendable, Equatable {
    /// Who made the embeddings, and how.
    public struct Header: Sendable, Equatable, Codable {
        /// The judge's name, for people.
        public var judge: String
        /// Hash of the judge's file; embeddings of different judges cannot be compared.
        public var judgeHash: String
        /// The protocol that the sounds were heard under, by its name.
        public var protocolName: String
        /// Numbers of an embedding, 1 to 16384.
        public var width: Int
        /// Embeddings.
        public var count: Int
        /// Sounds.
        public var files: Int

        /// A header, with each field as said at its property.
        public init(judge: JudgeIdentity, protocolName: String, width: Int, count: Int, files: Int) {
            (self.judge, judgeHash, self.protocolName) = (judge.name, judge.hash, protocolName)
            (self.width, self.count, self.files) = (width, count, files)
        }
    }

    /// Who made the embeddings, and how many there were.
    public let header: Header
    /// Their mean and covariance.
    public let statistics: EmbeddingStatistics

    private static let magic = Array("ALDSTAT\n".utf8)
    private static let version: UInt32 = 1
    private static let maximumWidth = 1 << 14
    private static let maximumHeaderByteCount = 1 << 16
    /// Of embeddings and of sounds: more than anybody has, and little enough to add up.
    private static let maximumCount = 1 << 40

    /// A file that is not written yet.
    public init(header: Header, statistics: EmbeddingStatistics) {
        (self.header, self.statistics) = (header, statistics.finished())
    }

    /// Writes the file; it appears complete or not at all.
    /// - Throws: `EvaluationError.file`.
    public func write(to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let json = Array(try encoder.encode(header))
        var bytes = Self.magic
        func append(_ value: some FixedWidthInteger) { withUnsafeBytes(of: value.littleEndian) { bytes += $0 } }
        append(Self.version)
        append(UInt32(json.count))
        bytes += json
        for value in statistics.mean { append(value.bitPattern) }
        for row in 0..<statistics.width {
            for column in 0...row { append(statistics.scatter[row, column].bitPattern) }
        }
        append(Self.checksum(bytes[...]))
        try EvaluationFile.write(bytes, to: path)
    }

    /// - Throws: `EvaluationError.file` for anything but a whole file of this kind.
    public init(contentsOf path: String) throws {
        func refused(_ reason: String) -> EvaluationError { .file(path: path, reason: reason) }
        let most = 8 * (Self.maximumWidth + 3) * (Self.maximumWidth + 3)
        let bytes = try EvaluationFile.contents(of: path, limit: most)
        let start = Self.magic.count + 8
        guard bytes.starts(with: Self.magic), bytes.count >= start + 8 else {
            throw refused("is not a statistics file; make one with --save-statistics")
        }
        var place = Self.magic.count
        /// The next number; the length is checked before.
        func next<Number: FixedWidthInteger>(_ type: Number.Type) -> Number {
            defer { place += MemoryLayout<Number>.size }
            return bytes.withUnsafeBytes { Number(littleEndian: $0.loadUnaligned(fromByteOffset: place, as: type)) }
        }
        let version = next(UInt32.self)
        guard version == Self.version else {
            throw refused("is of version \(version); this program reads \(Self.version)")
        }
        let length = Int(next(UInt32.self))
        guard length <= Self.maximumHeaderByteCount, length <= bytes.count - start - 8 else {
            throw refused("is damaged: its header is longer than the file; make it again")
        }
        let body = bytes[..<(bytes.count - 8)]
        let checksum = bytes.withUnsafeBytes {
            UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: bytes.count - 8, as: UInt64.self))
        }
        guard checksum == Self.checksum(body) else {
            throw refused("is damaged: its checksum is wrong; make it again")
        }
        guard let header = try? JSONDecoder().decode(Header.self, from: Data(bytes[start..<start + length])) else {
            throw refused("is damaged: its header cannot be read; make it again")
        }
        let width = header.width
        guard (1...Self.maximumWidth).contains(width), (0...Self.maximumCount).contains(header.count),
            (0...Self.maximumCount).contains(header.files),
            bytes.count == start + length + 8 * (width + width * (width + 1) / 2 + 1)
        else { throw refused("is damaged: its length is not that of statistics of width \(width); make it again") }
        place = start + length
        let mean = (0..<width).map { _ in Double(bitPattern: next(UInt64.self)) }
        var scatter = Matrix(zeros: width, width)
        for row in 0..<width {
            for column in 0...row {
                let value = Double(bitPattern: next(UInt64.self))
                scatter[row, column] = value
                scatter[column, row] = value
            }
        }
        guard mean.allSatisfy(\.isFinite), scatter.values.allSatisfy(\.isFinite),
            (0..<width).allSatisfy({ scatter[$0, $0] >= 0 })
        else { throw refused("holds numbers that are no statistics; make it again") }
        self.header = header
        statistics = EmbeddingStatistics(count: header.count, mean: mean, scatter: scatter)
    }

    /// - Throws: `EvaluationError.file` if another judge or protocol made it.
    public func require(_ judge: JudgeIdentity, protocolName: String, path: String) throws {
        guard header.judgeHash == judge.hash else {
            throw EvaluationError.file(
                path: path,
                reason: "was made by the judge \(header.judge) (\(header.judgeHash)), not by \(judge.name) "
                    + "(\(judge.hash)); give that judge, or make the statistics again")
        }
        guard header.protocolName == protocolName else {
            throw EvaluationError.file(
                path: path,
                reason: "was made under the protocol \(header.protocolName); use --protocol \(header.protocolName), "
                    + "or make it again")
        }
    }

    private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.withUnsafeBytes { kernels_xxh64($0.baseAddress, $0.count, 0) }
    }
}

/// Files of ours, whose failures name them.
enum EvaluationFile {
    static func contents(of path: String, limit: Int) throws -> [UInt8] {
        do {
            return try RegularFile.contents(of: path, limit: limit)
        } catch let error as FileError {
            throw EvaluationError.file(path: path, reason: "cannot be read: \(error.reason.lowercased())")
        }
    }

    /// Makes or replaces a file in one go.
    static func write(_ bytes: [UInt8], to path: String) throws {
        do {
            let file = try AtomicFile(path: path)
            try bytes.withUnsafeBytes { try file.write($0, at: 0) }
            try file.commit()
        } catch let error as FileError {
            throw EvaluationError.file(path: path, reason: "cannot be written: \(error.reason.lowercased())")
        }
    }
}
