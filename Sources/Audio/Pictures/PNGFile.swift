import FoundationEssentials

/// A picture whose pixels are indices into a palette of colours.
package struct IndexedPicture {
    package let width: Int
    package let height: Int
    /// Row by row.
    var pixels: [UInt8]
    /// At most 256; red, green and blue.
    let palette: [SIMD3<UInt8>]

    package init(width: Int, height: Int, pixels: [UInt8], palette: [SIMD3<UInt8>]) {
        (self.width, self.height, self.pixels, self.palette) = (width, height, pixels, palette)
    }
}

extension IndexedPicture {
    /// The picture as a PNG file (W3C Portable Network Graphics, 3rd edition).
    package func png() -> Data {
        var file = Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
        func append(_ type: String, _ body: [UInt8]) {
            let chunk = Array(type.utf8) + body
            file.append(contentsOf: Self.bigEndian(UInt32(body.count)) + chunk + Self.bigEndian(Self.crc(chunk)))
        }
        // Eight bits a pixel, by palette, not interlaced.
        append("IHDR", Self.bigEndian(UInt32(width)) + Self.bigEndian(UInt32(height)) + [8, 3, 0, 0, 0])
        append("PLTE", palette.flatMap { [$0.x, $0.y, $0.z] })
        append("IDAT", Deflate.zlib(scanlines))
        append("IEND", [])
        return file
    }

    /// Each row behind the number of its filter: none, or, where that makes it all zeros, the difference to the row above.
    private var scanlines: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity((width + 1) * height)
        for row in 0..<height {
            let line = pixels[row * width..<(row + 1) * width]
            let isRepeated = row > 0 && line.elementsEqual(pixels[(row - 1) * width..<row * width])
            bytes.append(isRepeated ? 2 : 0)
            if isRepeated { bytes.append(contentsOf: repeatElement(0, count: width)) } else { bytes += line }
        }
        return bytes
    }

    private static func bigEndian(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.bigEndian, Array.init) }

    private static func crc(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~0) { ($0 >> 8) ^ crcTable[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] }
    }

    private static let crcTable: [UInt32] = (0..<256).map { (byte: UInt32) in
        (0..<8).reduce(byte) { value, _ in value & 1 == 0 ? value >> 1 : (value >> 1) ^ 0xEDB8_8320 }
    }
}
