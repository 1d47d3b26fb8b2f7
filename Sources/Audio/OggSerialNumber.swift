import Files
import Glibc

/// Gives an Ogg stream a fixed serial number in place of the random one that libsndfile chooses, so that the same sound
/// makes the same file (RFC 3533: the number at byte 14 of each page, its checksum at byte 22).
/// - Throws: `AudioError.cannotWrite`.
func setOggSerialNumber(descriptor: Int32, path: String) throws {
    func incomplete() -> AudioError { .cannotWrite(path: path, reason: "the Ogg stream is incomplete") }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw incomplete() }
    var buffer = [UInt8](repeating: 0, count: largestPage)
    var start = 0
    while start < Int(status.st_size) {
        let count = try namingFailures(of: path) {
            try buffer.withUnsafeMutableBytes { try Transfer.read(into: $0, from: descriptor, at: start) }
        }
        guard count > 0, let length = pageLength(buffer[..<count]) else { throw incomplete() }
        var page = Array(buffer[..<length])
        page.replaceSubrange(14..<18, with: [1, 0, 0, 0])
        page.replaceSubrange(22..<26, with: [0, 0, 0, 0])
        page.replaceSubrange(22..<26, with: withUnsafeBytes(of: checksum(page).littleEndian, Array.init))
        try namingFailures(of: path) {
            try page.withUnsafeBytes { try Transfer.write($0, to: descriptor, at: start) }
        }
        start += length
    }
}

/// A header, the most segments, each as long as it can be.
private let largestPage = 27 + 255 + 255 * 255

/// Bytes of the page that `bytes` start with, or nil if they do not hold one.
private func pageLength(_ bytes: ArraySlice<UInt8>) -> Int? {
    let headerLength = 27
    guard bytes.count >= headerLength, bytes.starts(with: Array("OggS".utf8)) else { return nil }
    let segments = Int(bytes[bytes.startIndex + 26])
    let length = bytes.dropFirst(headerLength).prefix(segments).reduce(headerLength + segments) { $0 + Int($1) }
    return length <= bytes.count ? length : nil
}

/// CRC-32 with polynomial 0x04c11db7, most significant bit first.
private func checksum(_ bytes: [UInt8]) -> UInt32 {
    bytes.reduce(0) { ($0 << 8) ^ checksumTable[Int(($0 >> 24) ^ UInt32($1))] }
}

private let checksumTable: [UInt32] = (0..<256).map { (byte: UInt32) in
    (0..<8).reduce(byte << 24) { value, _ in value & 0x8000_0000 == 0 ? value << 1 : (value << 1) ^ 0x04c1_1db7 }
}
