import Evaluation
import Foundation
import TestSupport
import Testing

@Suite struct StatisticsTests {
    private let judge = JudgeIdentity(name: "test", hash: "12ab")

    private func file(_ statistics: EmbeddingStatistics) -> StatisticsFile {
        StatisticsFile(
            header: .init(
                judge: judge, protocolName: "audioldm_eval", width: statistics.width, count: statistics.count,
                files: 3),
            statistics: statistics)
    }

    @Test func partsMergeToTheWhole() throws {
        let set = try EvaluationReference().set("long.generated")
        let whole = try EmbeddingStatistics(of: set)
        var merged = try EmbeddingStatistics(of: set.rows(0..<1))
        try merged.merge(EmbeddingStatistics(of: set.rows(1..<301)))
        try merged.merge(EmbeddingStatistics(width: set.width))
        var later = EmbeddingStatistics(width: set.width)
        for row in 301..<set.rowCount { try later.add(set.rows([row])) }
        try merged.merge(later)
        #expect(merged.count == set.rowCount)
        let expected = try whole.covariance()
        for (a, b) in zip(try merged.covariance().values, expected.values) { #expect(abs(a - b) < 1e-11) }
        for (a, b) in zip(merged.mean, whole.mean) { #expect(abs(a - b) < 1e-12) }
        // By the definition, around a mean that is far from zero.
        let offset = try Embeddings(width: 1, values: [1e6 + 1, 1e6 + 2, 1e6 + 4])
        #expect(abs(try EmbeddingStatistics(of: offset).covariance()[0, 0] - 7.0 / 3) < 1e-9)
    }

    @Test func filesComeBackAsTheyWere() throws {
        let folder = try TemporaryFolder()
        let written = file(try EmbeddingStatistics(of: EvaluationReference().set("full.generated")))
        try written.write(to: folder.file("x.stats"))
        let read = try StatisticsFile(contentsOf: folder.file("x.stats"))
        #expect(read == written)
        try read.require(judge, protocolName: "audioldm_eval", path: "x")
        #expect(throws: EvaluationError.self) { try read.require(judge, protocolName: "fadtk", path: "x") }
        let other = JudgeIdentity(name: "test", hash: "12ac")
        #expect(throws: EvaluationError.self) { try read.require(other, protocolName: "audioldm_eval", path: "x") }
    }

    /// Cut anywhere, or with any byte changed, a file is refused by its name.
    @Test func damagedFilesAreRefused() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("x.stats")
        try file(try EmbeddingStatistics(of: Embeddings(width: 2, values: [1, 2, 3, 5, 8, 13]))).write(to: path)
        let bytes = try Array(Data(contentsOf: URL(fileURLWithPath: path)))
        for damaged in (0..<bytes.count).map({ Array(bytes[..<$0]) })
            + bytes.indices.map({ index in
                var copy = bytes
                copy[index] ^= 0x55
                return copy
            }) + [bytes + [0], [], Array("RIFF".utf8)]
        {
            let name = try folder.write(damaged, to: "damaged.stats")
            let error = #expect(throws: EvaluationError.self) { try StatisticsFile(contentsOf: name) }
            #expect("\(error.map { "\($0)" } ?? "")".hasPrefix(name))
        }
    }

    /// Right by its checksum, and wrong in what it says.
    @Test func liesAreRefused() throws {
        let folder = try TemporaryFolder()
        for (width, count) in [(1 << 40, 3), (-1, 3), (2, -3), (3, 3), (0, 0), (2, .max)] {
            let statistics = EmbeddingStatistics(
                count: 3, mean: [1, 2], scatter: try Matrix(rows: 2, columns: 2, values: [1, 0, 0, 1]))
            try StatisticsFile(
                header: .init(judge: judge, protocolName: "p", width: width, count: count, files: 1),
                statistics: statistics
            ).write(to: folder.file("x.stats"))
            #expect(throws: EvaluationError.self) { try StatisticsFile(contentsOf: folder.file("x.stats")) }
        }
        for values in [[Double.nan, 0, 0, 1], [-1, 0, 0, 1], [.infinity, 0, 0, 1]] {
            let statistics = EmbeddingStatistics(
                count: 3, mean: [1, 2], scatter: try Matrix(rows: 2, columns: 2, values: values))
            try file(statistics).write(to: folder.file("x.stats"))
            #expect(throws: EvaluationError.self) { try StatisticsFile(contentsOf: folder.file("x.stats")) }
        }
    }

    @Test func badNumbersAndShapesAreRefused() throws {
        #expect(throws: EvaluationError.self) { try Embeddings(width: 2, values: [1, 2, 3]) }
        #expect(throws: EvaluationError.self) { try Embeddings(width: 1, values: [.nan]) }
        #expect(throws: EvaluationError.self) { try Embeddings(width: 0) }
        let one = try Embeddings(width: 1, values: [1])
        #expect(throws: EvaluationError.self) { try FrechetDistance(one, one) }
        #expect(throws: EvaluationError.self) { try KernelInceptionDistance(one, one) }
        #expect(throws: EvaluationError.self) { try KernelAudioDistance(reference: one, evaluated: one) }
        let pair = try Embeddings(width: 2, values: [1, 2, 3, 4])
        let other = try Embeddings(width: 1, values: [1, 2])
        #expect(throws: EvaluationError.self) { try FrechetDistance(pair, other) }
    }

    @Test func halvesAreRoundedAsFloat16() {
        for (value, expected) in [
            (1.0, 1.0), (0.1, 0.0999755859375), (2049, 2048), (2051, 2052), (6e-8, 5.960464477539063e-8), (2e-8, 0),
            (65504, 65504), (70000, Float.infinity), (-0.1, -0.0999755859375),
        ] as [(Float, Float)] {
            #expect(Float16Rounding.round(value) == expected, "\(value)")
        }
    }

    /// Over many seeded sets of known spread, nine in ten intervals and more hold the truth.
    @Test func intervalsCoverTheTruth() {
        var random = NumPyRandom(seed: 5)
        var covered = 0
        var errors = 0.0
        for trial in 0..<200 {
            let values = (0..<40).map { _ in (0..<12).reduce(-6) { sum, _ in sum + random.uniform() } }
            if let interval = Bootstrap.interval(ofMean: values, draws: 300, seed: UInt32(trial)),
                interval.low <= 0, interval.high >= 0
            {
                covered += 1
            }
            errors +=
                Bootstrap.standardErrorByHalves(of: 40, draws: 100, seed: UInt32(trial)) { indices in
                    indices.reduce(0) { $0 + values[$1] } / Double(indices.count)
                } ?? 0
        }
        #expect((180...198).contains(covered), "\(covered) of 200")
        // The standard error of a mean of 40 of variance 1.
        #expect(isNear(errors / 200, (1.0 / 40).squareRoot(), relative: 0.03), "\(errors / 200)")
    }
}
