/// The head of a WAV file that goes into a pipe: format, texts, and how many samples follow.
struct WAVHeader {
    let bytes: [UInt8]

    init(sampleRate: Int, frameCount: Int, encoding: SampleEncoding, metadata: SoundMetadata) {
        func number(_ value: Int, _ byteCount: Int) -> [UInt8] {
            (0..<byteCount).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        func chunk(_ name: String, _ body: [UInt8]) -> [UInt8] {
            Array(name.utf8) + number(body.count, 4) + body + (body.count % 2 == 1 ? [0] : [])
        }
        let (width, isFloat) = (encoding.byteCount, encoding == .float32)
        let format =
            number(isFloat ? 3 : 1, 2) + number(1, 2) + number(sampleRate, 4) + number(width * sampleRate, 4)
            + number(width, 2) + number(8 * width, 2)
        let texts = [
            ("INAM", metadata.title), ("ICMT", metadata.comment), ("ISFT", metadata.software),
            ("ICOP", metadata.license),
        ].flatMap { name, text in text.map { chunk(name, Array(SoundMetadata.cut($0).utf8) + [0]) } ?? [] }
        // What is no integer says so in a longer format, and how many there are.
        let head =
            chunk("fmt ", format + (isFloat ? number(0, 2) : []))
            + (isFloat ? chunk("fact", number(min(frameCount, Int(UInt32.max)), 4)) : [])
            + chunk("LIST", Array("INFO".utf8) + texts)
            + (metadata.loops ? chunk("smpl", Self.loop(sampleRate: sampleRate, frameCount, number)) : [])
        // A length of a RIFF file has 32 bits; beyond them readers go on to the end.
        let data = min(width * frameCount, Int(UInt32.max) - head.count - 13)
        bytes =
            Array("RIFF".utf8) + number(4 + head.count + 8 + data + data % 2, 4) + Array("WAVE".utf8) + head
            + Array("data".utf8) + number(data, 4)
    }

    /// One loop over all: manufacturer, product, nanoseconds of a sample, middle C, its fraction, two numbers of SMPTE, one
    /// loop, no bytes more; and the loop's number, forward, its first and last sample, fraction, for ever.
    private static func loop(sampleRate: Int, _ frameCount: Int, _ number: (Int, Int) -> [UInt8]) -> [UInt8] {
        [0, 0, 1_000_000_000 / max(sampleRate, 1), 60, 0, 0, 0, 1, 0, 0, 0, 0, max(frameCount - 1, 0), 0, 0]
            .flatMap { number($0, 4) }
    }
}
