/// The table of a zip file as PyTorch writes it: every record stored as it is, sizes and offsets of 64 bits.
///
/// Stricter than the format (PKWARE APPNOTE 6.3), because a damaged or forged file should be refused: no compression, no
/// encryption, one disk, no two records of one name, and no byte that belongs to two records.
struct ZipArchive: Sendable {
    struct Record: Sendable {
        /// Where the record's bytes lie in the file.
        let bytes: Range<Int>
        let checksum: UInt32
    }

    private(set) var records: [String: Record] = [:]
    private let input: InputFile

    static let signature: [UInt8] = [0x50, 0x4B, 0x03, 0x04]
    /// More than the table of any checkpoint needs: a hundred thousand records.
    private static let tableLimit = 16 << 20

    /// - Throws: `CheckpointError.malformed` if the table breaks a rule.
    init(_ input: InputFile) throws {
        self.input = input
        let end = try ZipEnd(input)
        guard end.tableSize <= Self.tableLimit else { throw malformed("a table of \(end.tableSize) bytes") }
        var fields = ZipFields(try input.bytes(at: end.tableOffset, count: end.tableSize), input.name)
        var extents: [Range<Int>] = []
        for _ in 0..<end.recordCount {
            let entry = try ZipTableEntry(&fields)
            let bytes = try data(of: entry, before: end.tableOffset)
            guard records.updateValue(Record(bytes: bytes, checksum: entry.checksum), forKey: entry.name) == nil else {
                throw malformed("two records \(entry.name.quoted)")
            }
            extents.append(entry.headerOffset..<bytes.upperBound)
        }
        guard fields.isAtEnd else { throw malformed("a table that is longer than its records") }
        extents.sort { $0.lowerBound < $1.lowerBound }
        for (first, second) in zip(extents, extents.dropFirst()) where second.lowerBound < first.upperBound {
            throw malformed("records that overlap at byte \(second.lowerBound)")
        }
    }

    /// The place of a record's bytes behind its local header, which must agree with the table.
    private func data(of entry: ZipTableEntry, before limit: Int) throws -> Range<Int> {
        let headerSize = 30
        var header = ZipFields(try input.bytes(at: entry.headerOffset, count: headerSize), input.name)
        guard try header.bytes(4) == Self.signature else { throw malformed("no record \(entry.name.quoted)") }
        try header.skip(2)
        let flags = Int(try header.uint16())
        let method = try header.uint16()
        try header.skip(4)
        let checksum = try header.uint32()
        let sizes = [try header.uint32(), try header.uint32()]
        let (nameSize, extraSize) = (Int(try header.uint16()), Int(try header.uint16()))
        let name = try input.bytes(at: entry.headerOffset + headerSize, count: nameSize)
        // With flag 3 the sizes follow the data; a size of all ones stands in the extra field.
        let followsData = flags & 8 != 0
        let agrees = sizes.allSatisfy { $0 == .max || Int($0) == entry.size || followsData && $0 == 0 }
        guard name == Array(entry.name.utf8), method == 0, flags & 1 == 0, agrees,
            checksum == entry.checksum || followsData && checksum == 0
        else { throw malformed("a header of \(entry.name.quoted) that differs from the table") }
        // Cannot overflow: the header lies in the file.
        let start = entry.headerOffset + headerSize + nameSize + extraSize
        guard start <= limit, entry.size <= limit - start else {
            throw malformed("a record \(entry.name.quoted) of \(entry.size) bytes, which is longer than the file")
        }
        return start..<start + entry.size
    }

    /// - Throws: `CheckpointError.malformed` if the record's bytes do not have its checksum.
    func verify(_ name: String, _ record: Record) throws {
        guard try input.checksum(record.bytes) == record.checksum else {
            throw malformed("a record \(name.quoted) whose bytes do not have its checksum")
        }
    }

    private func malformed(_ what: String) -> CheckpointError { ZipFields.malformed(input.name, what) }
}

/// One record as the table describes it.
private struct ZipTableEntry {
    let name: String
    let size: Int
    let checksum: UInt32
    let headerOffset: Int

    init(_ fields: inout ZipFields) throws {
        guard try fields.bytes(4) == [0x50, 0x4B, 0x01, 0x02] else { throw fields.malformed("a table with a hole") }
        try fields.skip(4)
        let flags = try fields.uint16()
        let method = try fields.uint16()
        try fields.skip(4)
        checksum = try fields.uint32()
        let (stored, size) = (try fields.uint32(), try fields.uint32())
        let (nameSize, extraSize) = (Int(try fields.uint16()), Int(try fields.uint16()))
        let commentSize = Int(try fields.uint16())
        let disk = try fields.uint16()
        try fields.skip(6)
        let offset = try fields.uint32()
        guard let name = String(validating: try fields.bytes(nameSize), as: UTF8.self) else {
            throw fields.malformed("a name that is not UTF-8")
        }
        var extra = ZipFields(try fields.bytes(extraSize), fields.file)
        try fields.skip(commentSize)
        guard method == 0, flags & 1 == 0 else {
            throw fields.malformed("a record \(name.quoted) that is compressed or encrypted; PyTorch writes neither")
        }
        var large = try extra.zip64Field()
        self.name = name
        self.size = try large.widened(size)
        let storedSize = try large.widened(stored)
        headerOffset = try large.widened(offset)
        guard self.size == storedSize, disk == 0 || disk == .max else {
            throw fields.malformed("a record \(name.quoted) of two sizes")
        }
    }
}

/// Where the table lies, from the records that end a zip file.
private struct ZipEnd {
    let tableOffset: Int
    let tableSize: Int
    let recordCount: Int

    init(_ input: InputFile) throws {
        let endSize = 22
        // The comment that may follow has at most 65,535 bytes.
        let searched = min(input.size, endSize + 0xFFFF)
        let tail = try input.bytes(at: input.size - searched, count: searched)
        let last = tail.count - endSize
        guard last >= 0,
            let place = stride(from: last, through: 0, by: -1).first(where: { place in
                tail[place...].starts(with: [0x50, 0x4B, 0x05, 0x06])
                    && Int(tail[place + 20]) | Int(tail[place + 21]) << 8 == last - place
            })
        else { throw ZipFields.malformed(input.name, "no end, so a part is missing") }
        let offset = input.size - searched + place
        var end = ZipFields(Array(tail[place..<place + endSize]), input.name)
        try end.skip(4)
        let disks = [try end.uint16(), try end.uint16()]
        let counts = [try end.uint16(), try end.uint16()]
        let (size, start) = (try end.uint32(), try end.uint32())
        guard disks == [0, 0], counts[0] == counts[1] else { throw end.malformed("several disks") }
        if let large = try Self.zip64(before: offset, in: input) {
            guard counts[0] == .max || Int(counts[0]) == large.recordCount,
                size == .max || Int(size) == large.tableSize, start == .max || Int(start) == large.tableOffset
            else { throw end.malformed("two ends that differ") }
            self = large
        } else {
            (tableOffset, tableSize, recordCount) = (Int(start), Int(size), Int(counts[0]))
            try check(endsAt: offset, end)
        }
    }

    private init(tableOffset: Int, tableSize: Int, recordCount: Int) {
        (self.tableOffset, self.tableSize, self.recordCount) = (tableOffset, tableSize, recordCount)
    }

    private func check(endsAt limit: Int, _ fields: ZipFields) throws {
        // A table entry has at least 46 bytes.
        guard tableOffset <= limit, tableSize <= limit - tableOffset, recordCount <= tableSize / 46 else {
            throw fields.malformed("\(recordCount) records in \(tableSize) bytes at \(tableOffset), of \(limit)")
        }
    }

    /// The 64-bit form of the end, if there is one before `offset`.
    private static func zip64(before offset: Int, in input: InputFile) throws -> ZipEnd? {
        let (locatorSize, endSize) = (20, 56)
        guard offset >= locatorSize + endSize else { return nil }
        var locator = ZipFields(try input.bytes(at: offset - locatorSize, count: locatorSize), input.name)
        guard try locator.bytes(4) == [0x50, 0x4B, 0x06, 0x07] else { return nil }
        try locator.skip(4)
        let place = try locator.size()
        guard place <= offset - locatorSize - endSize else { throw locator.malformed("an end outside of the file") }
        var end = ZipFields(try input.bytes(at: place, count: endSize), input.name)
        guard try end.bytes(4) == [0x50, 0x4B, 0x06, 0x06] else { throw end.malformed("no 64-bit end") }
        try end.skip(12)
        let disks = [try end.uint32(), try end.uint32()]
        let counts = [try end.size(), try end.size()]
        let (size, start) = (try end.size(), try end.size())
        guard disks == [0, 0], counts[0] == counts[1] else { throw end.malformed("several disks") }
        let large = ZipEnd(tableOffset: start, tableSize: size, recordCount: counts[0])
        try large.check(endsAt: place, end)
        return large
    }
}

/// Little-endian fields of a zip file's tables, in order.
struct ZipFields {
    let file: String
    private let content: [UInt8]
    private var position = 0

    init(_ content: [UInt8], _ file: String) {
        self.content = content
        self.file = file
    }

    var isAtEnd: Bool { position == content.count }

    mutating func bytes(_ count: Int) throws -> [UInt8] {
        guard count <= content.count - position else { throw malformed("a table that ends too early") }
        defer { position += count }
        return Array(content[position..<position + count])
    }

    mutating func skip(_ count: Int) throws { _ = try bytes(count) }

    private mutating func integer<Integer: FixedWidthInteger & UnsignedInteger>() throws -> Integer {
        try bytes(Integer.bitWidth / 8).reversed().reduce(0) { $0 << 8 | Integer($1) }
    }

    mutating func uint16() throws -> UInt16 { try integer() }
    mutating func uint32() throws -> UInt32 { try integer() }

    /// A 64-bit size, count or offset.
    mutating func size() throws -> Int {
        let value: UInt64 = try integer()
        guard let size = Int(exactly: value) else { throw malformed("a size of \(value)") }
        return size
    }

    /// What the extra field with the 64-bit sizes holds; empty if there is none.
    mutating func zip64Field() throws -> ZipFields {
        while content.count - position >= 4 {
            let (kind, size) = (try uint16(), Int(try uint16()))
            let field = try bytes(size)
            if kind == 1 { return ZipFields(field, file) }
        }
        return ZipFields([], file)
    }

    /// A size of 32 bits, or the next one here if that is all ones.
    mutating func widened(_ value: UInt32) throws -> Int { value == .max ? try size() : Int(value) }

    func malformed(_ what: String) -> CheckpointError { Self.malformed(file, what) }

    static func malformed(_ file: String, _ what: String) -> CheckpointError {
        .malformed(file: file, reason: "as a zip file it has \(what)")
    }
}
