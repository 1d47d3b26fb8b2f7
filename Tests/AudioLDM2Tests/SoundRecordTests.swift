import AudioLDM2
import Foundation
import TestSupport
import Testing

/// What a sound's file says of it, where its texts are longer than any header holds.
@Suite struct SoundRecordTests {
    private let folder: TemporaryFolder
    private let record: SoundRecord

    init() throws {
        folder = try TemporaryFolder()
        let pipeline = try AudioLDM2Pipeline(opening: ModelFixture.path("tiny", .int8), device: .cpu)
        record = try pipeline.record(of: "rain", options: SoundOptions(seed: 7))
    }

    /// The record in the comment of a WAV file, as any reader of RIFF chunks finds it.
    private func stored(_ record: SoundRecord) throws -> (bytes: Int, record: SoundRecord) {
        let path = folder.file("a.wav")
        _ = try AudioClip(samples: [0, 0.1], sampleRate: 16000).write(to: path, record: record)
        let file = try Data(contentsOf: URL(fileURLWithPath: path))
        let name = try #require(file.firstRange(of: Data("ICMT".utf8)))
        let size = file[name.upperBound..<name.upperBound + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
        let text = file[name.upperBound + 4..<name.upperBound + 4 + size].prefix { $0 != 0 }
        return (text.count, try JSONDecoder().decode(SoundRecord.self, from: text))
    }

    @Test(arguments: ["a", "é", "犬", "🐕", "👩‍👩‍👧‍👦", "\"", "\\", "\u{1}", "e\u{301}"], [4, 4000, 40_000])
    func longTextsLeaveValidJSON(_ character: String, _ count: Int) throws {
        let text = String(repeating: character, count: count)
        for part in [\SoundRecord.prompt, \.negativePrompt] as [WritableKeyPath<SoundRecord, String>] {
            var long = record
            long[keyPath: part] = text
            try expectShortened(long, count)
        }
        let optional: [WritableKeyPath<SoundRecord, String?>] = [\.transcription, \.phonemes, \.condition, \.license]
        for part in optional {
            var long = record
            long[keyPath: part] = text
            try expectShortened(long, count)
        }
        var all = record
        (all.prompt, all.negativePrompt) = (text, text)
        for part in optional { all[keyPath: part] = text }
        try expectShortened(all, count)
    }

    @Test func manyPartsLeaveValidJSON() throws {
        var long = record
        long.operation = "edit"
        long.times = (0..<401).map { [Double($0) + 0.123, Double($0) + 0.456] }
        try expectShortened(long, 401)
        let times = try #require(try stored(long).record.times)
        #expect(times.count > 10 && times.elementsEqual(long.times!.prefix(times.count)))
    }

    private func expectShortened(_ record: SoundRecord, _ count: Int) throws {
        let (bytes, kept) = try stored(record)
        #expect(bytes <= 4096)
        // What identifies the sound is there whatever the texts are.
        #expect(kept.seed == 7 && kept.modelHash == record.modelHash && kept.steps == record.steps)
        // Cut between scalars, which may be within what one sees as a character.
        let (whole, start) = (record.prompt.unicodeScalars, kept.prompt.unicodeScalars)
        #expect(start.elementsEqual(whole.prefix(start.count)) && start.count >= min(whole.count, 10))
        if count == 4 { #expect(kept == record) }
    }
}
