/// A range of a file, read in order.
struct ByteStream {
    private let input: InputFile
    private let end: Int
    private var block: [UInt8] = []
    private var blockStart: Int
    private var place = 0

    private static let blockSize = 1 << 16

    /// - Parameter range: inside the file.
    init(_ input: InputFile, _ range: Range<Int>) {
        self.input = input
        blockStart = range.lowerBound
        end = range.upperBound
    }

    /// Of the next byte, in the file.
    var position: Int { blockStart + place }
    var remaining: Int { end - position }

    private mutating func refill() throws {
        blockStart = position
        place = 0
        guard blockStart < end else {
            throw CheckpointError.malformed(file: input.name, reason: "its pickle breaks off at byte \(blockStart)")
        }
        block = try input.bytes(at: blockStart, count: min(Self.blockSize, end - blockStart))
    }

    mutating func byte() throws -> UInt8 {
        if place == block.count { try refill() }
        defer { place += 1 }
        return block[place]
    }

    /// - Throws: if fewer are left, before anything is allocated.
    mutating func bytes(_ count: Int) throws -> [UInt8] {
        guard count >= 0, count <= remaining else {
            throw CheckpointError.malformed(
                file: input.name, reason: "its pickle claims \(count) bytes at byte \(position), \(remaining) are left")
        }
        if count <= block.count - place {
            defer { place += count }
            return Array(block[place..<place + count])
        }
        let bytes = try input.bytes(at: position, count: count)
        blockStart = position + count
        (block, place) = ([], 0)
        return bytes
    }

    /// Passes over bytes that are not read.
    mutating func skip(_ count: Int) throws {
        guard count >= 0, count <= remaining else {
            throw CheckpointError.malformed(
                file: input.name, reason: "ends before the \(count) bytes that belong at byte \(position)")
        }
        blockStart = position + count
        (block, place) = ([], 0)
    }

    /// A text up to the end of its line.
    mutating func line(limit: Int) throws -> [UInt8] {
        var line: [UInt8] = []
        while case let byte = try byte(), byte != UInt8(ascii: "\n") {
            guard line.count < limit else {
                throw CheckpointError.malformed(
                    file: input.name, reason: "its pickle has a line of more than \(limit) bytes")
            }
            line.append(byte)
        }
        return line
    }

    /// A little-endian integer.
    mutating func integer<Integer: FixedWidthInteger>(_ type: Integer.Type) throws -> Integer {
        var value: Integer = 0
        for index in 0..<Integer.bitWidth / 8 { value |= Integer(truncatingIfNeeded: try byte()) << (8 * index) }
        return value
    }
}
