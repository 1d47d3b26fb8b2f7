import AudioLDM2
import AudioLDM2Converter
import Compute
import Foundation
import Layers
import Tensors
import Testing
import WeightFile

/// Work in pieces gives what work in one piece gives.
@Suite struct WindowTests {
    private let backend: CPUBackend

    init() throws { backend = try CPUBackend(threadCount: 2, usesBLAS: false) }

    private func model<Config: ModelConfig, Component>(
        _ name: String, _ weights: WeightPreset, _ build: (Config, WeightScope) throws -> Component
    ) throws -> (Component, Config) {
        let pack = try Pack(opening: ModelFixture.path("tiny", weights))
        let config = try Config.read(pack.requiredComponent(name).config, component: name)
        let source = try PackSource(pack, component: name, backend: backend, threads: 2)
        return (try build(config, WeightScope(source)), config)
    }

    private func noise(_ shape: Shape) throws -> Tensor {
        var generator = SystemRandomNumberGenerator()
        return try backend.upload((0..<shape.count).map { _ in Float.random(in: -2...2, using: &generator) }, shape)
    }

    @Test(arguments: [1, 2, 37, 101], [WeightPreset.float32, .float16])
    func vocoderWindowsAreExact(_ frames: Int, _ weights: WeightPreset) throws {
        let (vocode, config): (HiFiGAN, HiFiGANConfig) = try model("vocoder", weights, HiFiGAN.init)
        let mel = try noise([1, frames, config.modelInDim])
        var whole: [Float] = []
        try vocode(mel, windowFrames: frames) { whole += $0 }
        #expect(whole.count >= frames * config.hopLength && whole.allSatisfy { abs($0) <= 1 })
        for window in [1, 16, 23, 64] {
            var blocks: [[Float]] = []
            try vocode(mel, windowFrames: window) { blocks.append($0) }
            #expect(blocks.count == vocode.pieces(frames: frames, windowFrames: window).count)
            #expect(blocks.allSatisfy { !$0.isEmpty })
            #expect(Array(blocks.joined()) == whole, "windows of \(window)")
        }
    }

    /// A piece is said to be long enough for its samples to depend on no later one, and they are all that it settles.
    @Test func piecesOfSpectrograms() throws {
        let (vocode, config): (HiFiGAN, HiFiGANConfig) = try model("vocoder", .float32, HiFiGAN.init)
        let mel = try noise([1, 300, config.modelInDim])
        for window in [1, 40, 128] {
            let pieces = vocode.pieces(frames: 300, windowFrames: window)
            #expect(pieces.first?.lowerBound == 0 && pieces.last?.upperBound == 300)
            #expect(zip(pieces, pieces.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
            var (known, progress) = (0, HiFiGAN.Progress())
            for piece in pieces {
                let read = vocode.frames(for: piece)
                let samples = try vocode.samples(
                    of: Stretch(mel.slice(axis: 1, read), from: read.lowerBound, isLast: piece.upperBound == 300),
                    &progress)
                known += samples.count
                #expect(known <= piece.upperBound * config.hopLength || piece.upperBound == 300)
                #expect(known >= (piece.upperBound - 40) * config.hopLength)
            }
            #expect(known == config.sampleCount(frames: 300))
        }
        #expect(vocode.pieces(frames: 1) == [0..<1])
    }

    /// In int8 a window quantizes for itself: what comes later changes nothing before it.
    @Test func vocoderWindowsStandForThemselves() throws {
        let (vocode, config): (HiFiGAN, HiFiGANConfig) = try model("vocoder", .int8, HiFiGAN.init)
        let mel = try noise([1, 200, config.modelInDim])
        var long: [[Float]] = []
        var short: [[Float]] = []
        try vocode(mel, windowFrames: 32) { long.append($0) }
        try vocode(mel.slice(axis: 1, 0..<160), windowFrames: 32) { short.append($0) }
        #expect(long.count == 7 && short.count == 5)
        #expect(Array(long.prefix(3)) == Array(short.prefix(3)))
        #expect(try vocode(mel).shape == [1, vocode(mel, 1).count, 1])
    }

    @Test(arguments: [1, 7, 13], WeightPreset.allCases)
    func frugalDecodingIsExact(_ frames: Int, _ weights: WeightPreset) throws {
        let (decode, _): (VAEDecoder, VAEConfig) = try model("vae", weights, VAEDecoder.init)
        let latents = try noise([1, frames, 5, 8])
        let plain = try decode(latents)
        let frugal = try decode(latents, isFrugal: true)
        #expect(plain.shape == frugal.shape)
        #expect(try plain.values() == frugal.values())
    }

    /// Sums and shares by plain loops, in the order in which windows come: the same numbers, bit for bit.
    @Test(arguments: [(100, false, [0, 20, 41, 68]), (100, true, [90, 0, 75, 30, 51]), (9, true, [4])], [1, 2])
    func meansOfWindows(_ sample: (frames: Int, isCircular: Bool, starts: [Int]), _ batch: Int) throws {
        let (frames, row) = (sample.frames, 6)
        let windows = try #require(LatentWindows(frames: frames, longest: 32, isCircular: sample.isCircular))
        let whole = try noise([batch, frames, 2, 3])
        let pieces = try sample.starts.map {
            try 0.5 * windows.cut(whole, from: $0) + noise(windows.cut(whole, from: $0).shape)
        }
        let length = pieces[0].shape[1]
        var sums = [Float](repeating: 0, count: batch * frames * row)
        var shares = [Float](repeating: 0, count: frames)
        for (first, piece) in zip(sample.starts, pieces) {
            let values = try piece.values()
            for place in 0..<length {
                let sine = sin(Double.pi * (Double(place) + 0.5) / Double(length))
                let (weight, frame) = (Float(sine * sine), (first + place) % frames)
                shares[frame] += weight
                for sound in 0..<batch {
                    for index in 0..<row {
                        sums[(sound * frames + frame) * row + index] +=
                            weight * values[(sound * length + place) * row + index]
                    }
                }
            }
        }
        let expected = sums.indices.map { sums[$0] / shares[$0 / row % frames] }
        var (mean, growing) = (WindowMean(of: windows, isWhole: true), WindowMean(of: windows))
        var taken: [Float] = []
        for (number, (first, piece)) in zip(sample.starts, pieces).enumerated() {
            try mean.add(piece, from: first)
            try growing.add(piece, from: first)
            guard batch == 1, !sample.isCircular else { continue }
            taken += try growing.take(to: number + 1 < pieces.count ? sample.starts[number + 1] : frames)
        }
        let result = try mean.result(on: backend)
        #expect(result.shape == whole.shape && expected.allSatisfy(\.isFinite))
        #expect(try result.values() == expected)
        #expect(
            try batch == 1 && !sample.isCircular ? taken == expected : growing.result(on: backend).values() == expected)
    }

    /// What goes around, with some of its end before its start and of its start behind its end.
    @Test(arguments: [0, 3, 20])
    func soundsThatGoAround(margin: Int) throws {
        let sound = try noise([1, 8, 5])
        let (values, extended) = (try sound.values(), try sound.extendedAround(by: margin))
        #expect(extended.shape == [1, 8 + 2 * margin, 5])
        let expected = (0..<8 + 2 * margin).flatMap { place in
            let frame = (place - margin + 80) % 8
            return Array(values[frame * 5..<frame * 5 + 5])
        }
        #expect(try extended.values() == expected)
    }
}

extension HiFiGAN {
    /// All samples of one sound.
    fileprivate func callAsFunction(_ mel: Tensor, _ batch: Int) throws -> [Float] {
        var samples: [Float] = []
        try self(mel) { samples += $0 }
        return samples
    }
}
