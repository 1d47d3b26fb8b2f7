import Diffusion
import Tensors
import TestSupport
import Testing

@Suite struct GuidanceTests {
    private let backend = HostBackend()

    private func deviation(_ values: [Float]) -> Float {
        let mean = values.reduce(0, +) / Float(values.count)
        return (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Float(values.count)).squareRoot()
    }

    /// diffusers `rescale_noise_cfg`, by its definition: each sample has the deviation of its conditional prediction.
    @Test(arguments: [Float(0), 0.3, 1]) func rescalesEachSample(_ share: Float) throws {
        let conditional = try backend.upload([1, 2, 3, 6, 10, -10, 30, 0], [2, 4])
        let unconditional = try backend.upload([0, 3, 1, 2, 4, 4, -9, 1], [2, 4])
        let plain = try Guidance(scale: 4)(unconditional: unconditional, conditional: conditional).values()
        let result = try Guidance(scale: 4, rescale: share)(unconditional: unconditional, conditional: conditional)
            .values()
        for sample in 0..<2 {
            let range = sample * 4..<sample * 4 + 4
            let wanted = deviation(Array(try conditional.values()[range]))
            let factor = share * wanted / deviation(Array(plain[range])) + 1 - share
            #expect(zip(result[range], plain[range]).allSatisfy { abs($0 - factor * $1) < 1e-4 })
        }
    }

    @Test func whatDoesNotDeviateStays() throws {
        let flat = try backend.upload([2, 2, 2], [1, 3])
        #expect(try Guidance(scale: 1, rescale: 1)(unconditional: flat, conditional: flat).values() == [2, 2, 2])
    }
}
