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
}
