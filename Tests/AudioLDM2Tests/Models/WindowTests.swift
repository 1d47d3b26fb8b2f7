import AudioLDM2
import AudioLDM2Converter
import Compute
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
            #expect(blocks.dropLast().allSatisfy { $0.count == window * config.hopLength })
            #expect(Array(blocks.joined()) == whole, "windows of \(window)")
        }
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
}

extension HiFiGAN {
    /// All samples of one sound.
    fileprivate func callAsFunction(_ mel: Tensor, _ batch: Int) throws -> [Float] {
        var samples: [Float] = []
        try self(mel) { samples += $0 }
        return samples
    }
}
