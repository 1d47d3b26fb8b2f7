import AudioLDM2
import Compute
import Foundation
import Tensors
import TestSupport
import Testing
import WeightFile

/// The UNet's forward pass, left at a level and entered there again.
@Suite struct UNetLevelTests {
    @Test(arguments: [0, 1, 2, 3])
    func whatIsBelowALevelCanBeComputedApart(depth: Int) throws {
        let backend = try CPUBackend(threadCount: 2, usesBLAS: false)
        let pack = try Pack(opening: ModelFixture.path("audioldm1-tiny", .int8))
        let config: UNetConfig = try .read(pack.requiredComponent(UNet.part).config, component: UNet.part)
        let source = try PackSource(pack, component: UNet.part, backend: backend, threads: 2)
        let unet = try UNet(config, WeightScope(source))
        try #require(unet.levelCount >= 3)
        let depth = min(depth, unet.levelCount)
        let film = try backend.upload(
            (0..<(config.filmWidth ?? 0)).map { Float(sin(Double($0))) }, [1, config.filmWidth ?? 0])
        let conditioning = try unet.conditioning(
            unet.conditioning(contexts: [], masks: [], film: film), at: [500], on: backend)
        // Heights that do not halve evenly.
        let shape: Shape = [1, 13, 16, config.inChannels]
        let sample = try backend.upload((0..<shape.count).map { Float(sin(Double($0) * 0.37)) }, shape)
        let whole = try unet(sample, conditioning).values()
        var below: Tensor?
        let apart = try unet(sample, conditioning, below: depth) { x, size in
            let deep = try unet.levels(from: depth, x, size, conditioning)
            below = deep
            return deep
        }
        #expect(try apart.values() == whole)
        let kept = try #require(below)
        #expect(try unet(sample, conditioning, below: depth) { _, _ in kept }.values() == whole)
    }

    /// One sample under several conditions is what each is alone, bit for bit, where nothing is repeated before it must be.
    /// - Parameter widths: of the sequences that conditions are.
    @Test(arguments: [("tiny", [32, 48]), ("audioldm1-tiny", [])])
    func whatConditionsHaveInCommonIsComputedOnce(name: String, widths: [Int]) throws {
        let backend = try CPUBackend(threadCount: 2, usesBLAS: false)
        let pack = try Pack(opening: ModelFixture.path(name, .int8))
        let config: UNetConfig = try .read(pack.requiredComponent(UNet.part).config, component: UNet.part)
        let source = try PackSource(pack, component: UNet.part, backend: backend, threads: 2)
        let unet = try UNet(config, WeightScope(source))
        func wave(_ shape: Shape, _ pace: Double) throws -> Tensor {
            try backend.upload((0..<shape.count).map { Float(sin(Double($0) * pace)) }, shape)
        }
        func conditioning(_ sides: [Double]) throws -> UNetConditioning {
            let contexts = try widths.map { width in
                try Tensor.concatenate(sides.map { try wave([1, 5, width], $0) }, axis: 0)
            }
            let film = try config.filmWidth.map { width in
                try Tensor.concatenate(sides.map { try wave([1, width], $0) }, axis: 0)
            }
            return try unet.conditioning(
                unet.conditioning(contexts: contexts, masks: Array(repeating: nil, count: contexts.count), film: film),
                at: [500],
                on: backend)
        }
        let sample = try wave([1, 13, 16, config.inChannels], 0.37)
        let both = try unet(sample, conditioning([0.3, 0.7]))
        let doubled = try unet(Tensor.concatenate([sample, sample], axis: 0), conditioning([0.3, 0.7]))
        #expect(both.shape[0] == 2)
        #expect(try both.values() == doubled.values())
        #expect(try both.outermost(0..<1).values() == unet(sample, conditioning([0.3])).values())
    }
}
