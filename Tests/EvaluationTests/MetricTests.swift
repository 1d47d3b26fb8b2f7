import Evaluation
import Foundation
import Testing

/// Figures against those of audioldm_eval, fadtk, kadtk, scipy and librosa.
@Suite struct MetricTests {
    private let reference: EvaluationReference

    init() throws { reference = try EvaluationReference() }

    @Test func frechetDistanceIsThatOfScipyAndThePackages() throws {
        let expected = reference.expected.full
        let (x, y) = (try reference.set("full.generated"), try reference.set("full.reference"))
        let found = try FrechetDistance(x, y)
        let scipy = try #require(expected.scipy)
        #expect(isNear(found.value, scipy, relative: 1e-9), "\(found.value), scipy \(scipy)")
        #expect(isNear(found.value, expected.nuclear, relative: 1e-9))
        // Their means are float32.
        #expect(isNear(found.value, try #require(expected.audioldmEval), relative: 1e-6))
        #expect(isNear(found.value, try #require(expected.fadtk), relative: 1e-6))
        #expect(try !GaussianFactor(x).isRankDeficient)
    }

    @Test func frechetDistanceOfFewEmbeddingsIsRealAndExact() throws {
        let (x, y) = (try reference.set("wide.generated"), try reference.set("wide.reference"))
        let expected = reference.expected.wide.nuclear
        let direct = try FrechetDistance(x, y)
        #expect(isNear(direct.value, expected, relative: 1e-9), "\(direct.value), numpy \(expected)")
        let byStatistics = try FrechetDistance(EmbeddingStatistics(of: x), EmbeddingStatistics(of: y))
        #expect(isNear(byStatistics.value, expected, relative: 1e-6), "\(byStatistics.value), numpy \(expected)")
        let factor = try GaussianFactor(EmbeddingStatistics(of: x))
        #expect(factor.isRankDeficient && factor.rank == x.rowCount - 1)
    }

    @Test(arguments: ["full.generated", "wide.generated"]) func identicalSetsAreAtDistanceZero(_ name: String) throws {
        let set = try reference.set(name)
        #expect(try FrechetDistance(set, set).value == 0)
        let reversed = set.rows((0..<set.rowCount).reversed())
        let trace = try GaussianFactor(set).trace
        #expect(try FrechetDistance(set, reversed).value <= 1e-12 * trace)
        #expect(
            try FrechetDistance(EmbeddingStatistics(of: set), EmbeddingStatistics(of: reversed)).value <= 1e-7 * trace)
    }

    @Test func frechetDistanceOfScalarsIsTheFormula() throws {
        let (a, b) = ([1, 3, 5, 9] as [Float], [2, 2, 4] as [Float])
        let value = try FrechetDistance(Embeddings(width: 1, values: a), Embeddings(width: 1, values: b)).value
        // (μ₁ − μ₂)² + (σ₁ − σ₂)²
        let (s1, s2) = ((35.0 / 3).squareRoot(), (4.0 / 3).squareRoot())
        let expected = (4.5 - 8.0 / 3) * (4.5 - 8.0 / 3) + (s1 - s2) * (s1 - s2)
        #expect(isNear(value, expected, relative: 1e-12))
    }

    @Test func frechetAtInfinityIsFadtks() throws {
        let expected = reference.expected.infinity
        let found = try FrechetAtInfinity(
            reference.set("long.generated"), reference: GaussianFactor(reference.set("long.reference")), steps: 10,
            least: 100, seed: 3)
        #expect(found.points.map(\.count) == expected.points.map { Int($0[0]) })
        for (point, wanted) in zip(found.points, expected.points) {
            #expect(isNear(point.distance, wanted[1], relative: 1e-5))
        }
        #expect(isNear(found.value, expected.value, relative: 1e-5))
        #expect(isNear(found.slope, expected.slope, relative: 1e-4))
        #expect(isNear(found.rSquared, expected.r2, relative: 1e-4))
        #expect(throws: EvaluationError.self) {
            try FrechetAtInfinity(
                reference.set("long.generated"), reference: GaussianFactor(reference.set("long.reference")), least: 600)
        }
    }

    @Test(arguments: ["full", "wide"]) func kernelDistancesAreThoseOfThePackages(_ name: String) throws {
        let expected = name == "full" ? reference.expected.full : reference.expected.wide
        let (x, y) = (try reference.set("\(name).generated"), try reference.set("\(name).reference"))
        let kid = try KernelInceptionDistance(x, y, subsetSize: 60)
        #expect(isNear(kid.mean, expected.kid[0], relative: 1e-5), "\(kid.mean)")
        // Of whole sets theirs is the rounding of sums in float32.
        #expect(name == "wide" ? kid.deviation == 0 : isNear(kid.deviation, expected.kid[1], relative: 1e-5))
        let kad = try KernelAudioDistance(reference: y, evaluated: x)
        #expect(isNear(kad.bandwidth, expected.bandwidth, relative: 1e-6), "\(kad.bandwidth)")
        // The package sums in float32, and its result is a small difference of sums.
        #expect(abs(kad.value - expected.kad) < 1e-4 * 100, "\(kad.value), kadtk \(expected.kad)")
        #expect(isNear(kad.value, expected.kad, relative: 1e-3))
    }

    @Test func divergenceAndInceptionScoreAreThoseOfAudioldmEval() throws {
        let (x, y) = (try reference.set("logits.generated"), try reference.set("logits.reference"))
        let expected = reference.expected.kl
        #expect(isNear(try KullbackLeibler(target: y, other: x, by: .softmax).mean, expected.softmax, relative: 1e-6))
        #expect(isNear(try KullbackLeibler(target: y, other: x, by: .sigmoid).mean, expected.sigmoid, relative: 1e-6))
        #expect(try abs(KullbackLeibler(target: x, other: x, by: .softmax).mean) < 1e-4)
        let score = try InceptionScore(x)
        #expect(isNear(score.mean, reference.expected.inception[0], relative: 1e-9))
        #expect(isNear(score.deviation, reference.expected.inception[1], relative: 1e-9))
        #expect(throws: EvaluationError.self) { try InceptionScore(x.rows(0..<9)) }
    }

    @Test func logSpectralDistanceIsThatOfSsrEval() throws {
        let (target, estimate) = (try reference.samples("lsd.target"), try reference.samples("lsd.estimate"))
        for (rate, expected) in reference.expected.lsd {
            let found = try LogSpectralDistance(sampleRate: try #require(Int(rate)))(
                estimate: estimate, target: target)
            #expect(isNear(found, expected, relative: 1e-6), "\(rate) Hz: \(found), \(expected)")
        }
    }

    @Test func clapScoresAreCosinesAndThePapersExpectation() throws {
        let sounds = try Embeddings(width: 2, values: [1, 0, 0, 2])
        let texts = try Embeddings(width: 2, values: [3, 0, 1, 1])
        let empty = try Embeddings(width: 2, values: [0, 1])
        let half = 0.5.squareRoot()
        let score = try CLAPScore(sounds: sounds, texts: texts)
        #expect(score.values.count == 2 && abs(score.values[0] - 1) < 1e-9 && abs(score.values[1] - half) < 1e-9)
        let paper = try CLAPScore(asInPaper: sounds, texts: texts, emptyText: empty)
        #expect(abs(paper.values[0] - 0.82) < 1e-9)
        #expect(abs(paper.values[1] - (0.81 * half + 0.09 * half + 0.09 + 0.01)) < 1e-9)
    }

    @Test func randomNumbersAreNumPys() {
        let expected = reference.expected.random
        var random = NumPyRandom(seed: 2020)
        #expect(random.permutation(30) == expected.permutation)
        #expect(random.choice(of: 1000, size: 12) == expected.choice)
        #expect((0..<3).map { _ in random.uniform() } == expected.uniform)
    }
}
