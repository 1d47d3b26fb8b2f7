import Compute
import ComputeCUDA
import ComputeSupport
import Foundation
import Tensors
import TestSupport
import Testing

/// Ranges of an int8 convolution's input on the emulated GPU: for the same pieces of time as on the CPU.
@Suite(.enabled(if: EmulatedGPU.isHere, "\(EmulatedGPU.absence)"), .serialized)
struct TileTests {
    private let folder: TemporaryFolder
    /// With tensor cores and without.
    private let backends: [CUDABackend]
    private let cpu: CPUBackend

    init() throws {
        folder = try TemporaryFolder()
        let libraries = CUDALibraryPaths(driver: EmulatedGPU.library, compiler: EmulatedGPU.library)
        let device = try CUDADevice(libraries: libraries, cacheFolder: URL(fileURLWithPath: folder.file("c")))
        backends = [true, false].map { CUDABackend(device, usesMMA: $0) }
        cpu = try CPUBackend(threadCount: 1, usesBLAS: false)
    }

    private func convolve(
        _ item: TileCase, _ x: [Float], samples: Int? = nil, on backend: any Backend
    ) throws -> Tensor {
        var shape = item.shape
        shape[0] = samples ?? item.samples
        return try backend.convolution(
            backend.upload(x, shape), backend.prepare(item.weight.weight), item.geometry, Epilogue())
    }

    /// Row by row, quiet ones too: another range would be other bytes, and some hundred times this error.
    @Test(arguments: TileCase.all, [false, true])
    func rangesAreTheCPUs(_ item: TileCase, isReversed: Bool) throws {
        EmulatedGPU.reverseThreads(isReversed)
        defer { EmulatedGPU.reverseThreads(false) }
        let x = item.input
        let expected = try convolve(item, x, on: cpu)
        let (values, outputs) = (try expected.values(), item.role.outputs)
        for backend in backends {
            let y = try convolve(item, x, on: backend)
            #expect(y.shape == expected.shape)
            let ours = try y.values()
            for first in stride(from: 0, to: values.count, by: outputs) {
                let row = first..<first + outputs
                #expect(relativeError(Array(ours[row]), Array(values[row])) < 1e-5, "row \(first / outputs)")
            }
        }
    }

    @Test(arguments: TileCase.all)
    func loudPlacesReachNoFurtherThanTheirTiles(_ item: TileCase) throws {
        let row = item.rows / 2
        let inputs = item.quiet(andLoudAt: row)
        let plan = try ConvolutionPlan.checked(item.shape, role: item.role, item.geometry)
        let tiles = try #require(
            ConvolutionTiles(plan, channels: item.shape[3], activation: item.geometry.inputActivation)
        ).tiles
        let outputs = item.role.outputs
        for backend in backends {
            let quiet = try convolve(item, inputs.quiet, on: backend).values()
            let loud = try convolve(item, inputs.loud, on: backend).values()
            for tile in tiles {
                let places = tile.outputs.lowerBound * outputs..<tile.outputs.upperBound * outputs
                #expect((quiet[places] == loud[places]) == !tile.inputs.contains(row), "\(tile)")
            }
        }
    }

    @Test(arguments: TileCase.all)
    func otherSamplesDoNotMatter(_ item: TileCase) throws {
        let (x, backend) = (item.input, backends[1])
        let together = try convolve(item, x, on: backend)
        for sample in 0..<item.samples {
            let count = x.count / item.samples
            let alone = try convolve(
                item, Array(x[sample * count..<(sample + 1) * count]), samples: 1, on: backend)
            #expect(try alone.values() == together.outermost(sample..<sample + 1).values())
        }
    }
}
