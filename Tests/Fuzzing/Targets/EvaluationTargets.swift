import AudioLDM2
import Evaluation
import FoundationEssentials
import ListeningTest
import WeightFile

/// What evaluations read: sets, what was heard of them, what listeners said.
extension FuzzTarget {
    static let evaluations = [
        FuzzTarget("statistics", "statistics of a set (.stats), with the right checksum") { input in
            var bytes = input.bytes
            if bytes.count >= 8 { write(PackFormat.checksum(bytes.dropLast(8)), at: bytes.count - 8, in: &bytes) }
            let file = try StatisticsFile(contentsOf: input.file(bytes))
            var twice = file.statistics
            try input.attempt { try twice.merge(file.statistics) }
            try input.attempt { _ = try twice.covariance() }
        },
        FuzzTarget("journal", "what a judge heard (.heard), with right checksums") { input in
            let folder = Scratch.shared.path + "/heard"
            let judge = JudgeIdentity(name: "judge", hash: "0")
            let path = try EmbeddingJournal(folder: folder, judge: judge, rules: EvaluationProtocol(.fadtk)).path
            let name = path.split(separator: "/").suffix(2).joined(separator: "/")
            _ = try input.file(mendedJournal(input.bytes), named: name)
            _ = try EmbeddingJournal(folder: folder, judge: judge, rules: EvaluationProtocol(.fadtk))
        },
        FuzzTarget("manifest", "the manifest of a batch", longest: 2048, dictionary: "request") { input in
            for line in input.bytes.split(separator: UInt8(ascii: "\n")) {
                _ = try? JSONDecoder().decode(SoundRecord.self, from: Data(line))
            }
            _ = try SoundSet(input.file(named: "manifest.jsonl"))
        },
        FuzzTarget("answers", "a listening test's key and answers", longest: 2048, dictionary: "answers") { input in
            let sections = input.sections
            func section(_ name: String) -> [UInt8] { sections.last { $0.name == name }?.bytes ?? [] }
            let key = try ListeningReport.key(contentsOf: input.file(section("key"), named: "key.json"))
            let answers = try RaterAnswers.read([input.file(section("answers"), named: "answers.csv")], key: key)
            _ = try ListeningReport(answers, key: key, draws: 8)
        },
    ]

    private static func write(_ value: UInt64, at place: Int, in bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.littleEndian) { bytes.replaceSubrange(place..<place + 8, with: $0) }
    }

    /// Records, each with the right checksum, as far as their lengths lead.
    private static func mendedJournal(_ input: [UInt8]) -> [UInt8] {
        var bytes = input
        var place = 0
        while bytes.count - place >= 16 {
            let body = bytes[place..<place + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
            guard body <= bytes.count - place - 16 else { break }
            write(PackFormat.checksum(bytes[place..<place + 8 + body]), at: place + 8 + body, in: &bytes)
            place += 16 + body
        }
        return bytes
    }
}
