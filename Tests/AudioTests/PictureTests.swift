import Audio
import Foundation
import TestSupport
import Testing

/// Pictures are read back by Python, whose zlib and arithmetic are not ours.
@Suite struct PictureTests {
    private static let reader = """
        import binascii, struct, sys, zlib
        data = open(sys.argv[1], "rb").read()
        assert data[:8] == b"\\x89PNG\\r\\n\\x1a\\n"
        place, chunks = 8, {}
        while place < len(data):
            length, kind = struct.unpack(">I4s", data[place:place + 8])
            body = data[place + 8:place + 8 + length]
            assert struct.unpack(">I", data[place + 8 + length:place + 12 + length])[0] == binascii.crc32(kind + body)
            chunks[kind] = body
            place += 12 + length
        width, height = struct.unpack(">II", chunks[b"IHDR"][:8])
        raw = zlib.decompress(chunks[b"IDAT"])
        assert len(raw) == height * (width + 1)
        above, out = bytes(width), b""
        for row in range(height):
            line = raw[row * (width + 1):(row + 1) * (width + 1)]
            above = bytes((x + y * (line[0] == 2)) & 255 for x, y in zip(line[1:], above))
            out += above
        print(width, height, binascii.crc32(out), len(chunks[b"PLTE"]))
        """

    private func read(_ file: String) throws -> [Int] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", Self.reader, file]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        process.waitUntilExit()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        return text.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
    }

    /// CRC-32 bit by bit, as RFC 1952 defines it.
    private func crc(_ bytes: [UInt8]) -> Int {
        Int(
            ~bytes.reduce(~UInt32(0)) { value, byte in
                (0..<8).reduce(value ^ UInt32(byte)) { value, _ in value >> 1 ^ (value & 1 == 0 ? 0 : 0xEDB8_8320) }
            })
    }

    /// Runs of every length, repeated rows, all bytes.
    @Test(arguments: [1, 3, 256, 700])
    func pixelsComeBack(_ width: Int) throws {
        var pixels: [UInt8] = []
        for row in 0..<40 {
            let line = (0..<width).map { column in
                UInt8(truncatingIfNeeded: row % 3 == 2 ? (row / 3) &* 7 &+ column / (row + 1) : row &+ column &* column)
            }
            pixels += row % 5 == 4 ? Array(pixels.suffix(width)) : line
        }
        let palette = (0..<256).map { SIMD3(UInt8($0), UInt8(255 - $0), 7) }
        let picture = IndexedPicture(width: width, height: 40, pixels: pixels, palette: palette)
        let folder = try TemporaryFolder()
        try picture.png().write(to: URL(fileURLWithPath: folder.file("a.png")))
        #expect(try read(folder.file("a.png")) == [width, 40, crc(pixels), 768])
    }

    @Test func marginsCostNothing() {
        let picture = IndexedPicture(
            width: 1000, height: 1000, pixels: Array(repeating: 9, count: 1_000_000),
            palette: Array(repeating: SIMD3(0, 0, 0), count: 256))
        #expect(picture.png().count < 20_000)
    }

    @Test func coloursRiseInLightness() {
        let luminance = PictureColours.palette.prefix(PictureColours.levelCount).map { colour in
            0.2126 * Double(colour.x) + 0.7152 * Double(colour.y) + 0.0722 * Double(colour.z)
        }
        #expect(zip(luminance, luminance.dropFirst(8)).allSatisfy { $0 < $1 })
        #expect(PictureColours.level(.nan) == 0 && PictureColours.level(2) == UInt8(PictureColours.levelCount - 1))
    }
}
