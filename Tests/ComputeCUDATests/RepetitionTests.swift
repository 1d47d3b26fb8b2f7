import Compute
import ComputeCUDA
import Foundation
import Tensors
import TestSupport
import Testing

/// Work that is recorded as a graph, against the same work done as it is.
@Suite(.enabled(if: EmulatedGPU.isHere, "\(EmulatedGPU.absence)"), .serialized)
struct RepetitionTests {
    private let folder: TemporaryFolder
    private let cuda: CUDABackend
    private var numbers = TestNumbers(seed: 5)

    init() throws {
        folder = try TemporaryFolder()
        cuda = CUDABackend(try Self.device(EmulatedGPU.library, folder))
    }

    /// A device on which nobody else launches graphs.
    private static let ordinal = 6

    private static func device(_ driver: String?, _ folder: TemporaryFolder) throws -> CUDADevice {
        // A driver without graphs has devices of its own.
        let ordinal = driver == EmulatedGPU.library ? ordinal : 0
        return try EmulatedGPU.finding(devices: ordinal + 1) {
            try CUDADevice(
                ordinal, libraries: CUDALibraryPaths(driver: driver, compiler: EmulatedGPU.library),
                cacheFolder: URL(fileURLWithPath: folder.file("c")))
        }
    }

    /// Takes and gives memory of several sizes on its way.
    private static func work(_ inputs: [Tensor]) throws -> Tensor {
        let x = try inputs[0].backend.combine([(2, inputs[0]), (0.5, inputs[1])])
        let wide = try Tensor.concatenate([x, x, inputs[1]], axis: 1)
        return try wide.slice(axis: 1, 1..<4).activated(.silu).backend.concatenate([x, x], axis: 0)
    }

    private mutating func inputs(_ rows: Int = 5) throws -> [Tensor] {
        try (0..<2).map { _ in try cuda.upload(numbers.values(rows * 700), [1, rows, 700]) }
    }

    /// What `work` makes of the inputs, each time, and what it makes if it is done as it is.
    private mutating func expectSame(
        _ repeated: TensorWork, times: Int = 4, rows: Int = 5, _ location: SourceLocation = #_sourceLocation
    ) throws {
        var results: [(Tensor, [Float])] = []
        for _ in 0..<times {
            let inputs = try inputs(rows)
            results.append((try repeated(inputs), try Self.work(inputs).values()))
        }
        // Earlier results stay what they were.
        for (ours, expected) in results { #expect(try ours.values() == expected, sourceLocation: location) }
    }

    @Test mutating func whatIsRecordedComputesTheSame() throws {
        let before = EmulatedGPU.graphs(on: Self.ordinal)
        do {
            let repeated = cuda.repeatable(Self.work)
            try expectSame(repeated)
            #expect(EmulatedGPU.graphs(on: Self.ordinal).launches == before.launches + 3)
            // Of another shape it is done as it is, and stays recorded for the first one.
            try expectSame(repeated, times: 2, rows: 3)
            try expectSame(repeated, times: 1)
            #expect(EmulatedGPU.graphs(on: Self.ordinal).launches == before.launches + 4)
        }
        #expect(EmulatedGPU.graphs(on: Self.ordinal).alive == before.alive)
    }

    /// A graph's memory is nobody else's: not when others need some, and not when the pool gives up all that it can.
    @Test mutating func memoryOfAGraphStaysItsOwn() throws {
        let repeated = cuda.repeatable(Self.work)
        try expectSame(repeated, times: 2)
        let others = try (0..<40).map { try cuda.upload([Float](repeating: Float($0), count: 3500), [1, 5, 700]) }
        cuda.trim()
        try expectSame(repeated)
        for (index, other) in others.enumerated() {
            #expect(try other.values().allSatisfy { $0 == Float(index) })
        }
    }

    /// And it is free again when nobody repeats the work any more.
    @Test mutating func memoryOfAGraphComesBack() throws {
        func held() -> Int {
            cuda.trim()
            cuda.resetPeak(keeping: .max)
            return cuda.peakActivationBytes
        }
        let repeated = Box(cuda.repeatable(Self.work))
        try expectSame(repeated.work, times: 2)
        #expect(held() > 0)
        repeated.work = { $0[0] }
        #expect(held() == 0)
    }

    private final class Box {
        var work: TensorWork
        init(_ work: @escaping TensorWork) { self.work = work }
    }

    @Test mutating func aDriverWithoutGraphsDoesTheWorkAsItIs() throws {
        let driver = try #require(EmulatedGPU.libraryWithoutGraphs)
        let plain = CUDABackend(try Self.device(driver, folder))
        let before = EmulatedGPU.graphs(on: Self.ordinal).launches
        let repeated = plain.repeatable(Self.work)
        for _ in 0..<3 {
            let values = numbers.values(3500)
            let (ours, inputs) = (try plain.upload(values, [1, 5, 700]), try cuda.upload(values, [1, 5, 700]))
            #expect(try repeated([ours, ours]).values() == Self.work([inputs, inputs]).values())
        }
        #expect(EmulatedGPU.graphs(on: Self.ordinal).launches == before)
    }

    @Test(arguments: ["cuStreamBeginCapture", "cuGraphInstantiateWithFlags"])
    mutating func whatCannotBeRecordedIsDoneAsItIs(_ call: String) throws {
        let before = EmulatedGPU.graphs(on: Self.ordinal)
        let (repeated, inputs) = (cuda.repeatable(Self.work), try inputs())
        let expected = try Self.work(inputs).values()
        #expect(try EmulatedGPU.failing(call) { try repeated(inputs).values() } == expected)
        try expectSame(repeated)
        #expect(EmulatedGPU.graphs(on: Self.ordinal) == before)
    }

    @Test mutating func aGraphThatFailsIsATypedError() throws {
        let (repeated, inputs) = (cuda.repeatable(Self.work), try inputs())
        _ = try repeated(inputs)
        #expect(throws: CUDAError.call("cuGraphLaunch", result: "CUDA_ERROR_ILLEGAL_ADDRESS")) {
            try EmulatedGPU.failing("cuGraphLaunch") { try repeated(inputs) }
        }
        try expectSame(repeated)
    }

    /// The host's part of such work would not be done again.
    @Test mutating func workThatNeedsTheHostIsDoneAsItIs() throws {
        let before = EmulatedGPU.graphs(on: Self.ordinal).launches
        var calls = 0
        let uploading = cuda.repeatable { inputs in
            calls += 1
            let factor = try inputs[0].backend.upload([Float](repeating: Float(calls), count: 3500), [1, 5, 700])
            return try Self.work([inputs[0], factor])
        }
        let downloading = cuda.repeatable { inputs in
            try Self.work([inputs[0], inputs[0].backend.upload(inputs[1].values(), [1, 5, 700])])
        }
        let inputs = try inputs()
        for _ in 0..<3 {
            let result = try uploading(inputs).values()
            let factor = try cuda.upload([Float](repeating: Float(calls), count: 3500), [1, 5, 700])
            // The call that was tried and not recorded counts, too.
            if calls > 2 { #expect(try result == Self.work([inputs[0], factor]).values()) }
            #expect(try downloading(inputs).values() == Self.work(inputs).values())
        }
        #expect(EmulatedGPU.graphs(on: Self.ordinal).launches == before)
    }

    /// A cancelled loop, for one: it ends between two times, or in one of them.
    @Test mutating func workThatThrowsLeavesAUsableBackend() throws {
        var left = 1
        let inputs = try inputs()
        let failing = cuda.repeatable { inputs in
            if left == 0 { throw CancellationError() }
            left -= 1
            return try Self.work(inputs)
        }
        #expect(throws: CancellationError.self) { try failing(inputs) }
        try expectSame(cuda.repeatable(Self.work))
        #expect(try Self.work(inputs).values().count == 7000)
    }

    /// Operations can only be told apart one by one.
    @Test mutating func whileMeteringNothingIsReplayed() throws {
        let repeated = cuda.repeatable(Self.work)
        try expectSame(repeated, times: 2)
        let before = EmulatedGPU.graphs(on: Self.ordinal).launches
        cuda.startMetering()
        try expectSame(repeated, times: 2)
        #expect(EmulatedGPU.graphs(on: Self.ordinal).launches == before && cuda.operationTotals["combine"]?.calls == 4)
    }

    /// The ranges of a convolution's tiles are found anew each time.
    @Test func tilesAreReplayed() throws {
        let item = TileCase.all[0]
        let weight = try cuda.prepare(item.weight.weight)
        let convolve: TensorWork = { inputs in
            try inputs[0].backend.convolution(inputs[0], weight, item.geometry, Epilogue())
        }
        let repeated = cuda.repeatable(convolve)
        let before = EmulatedGPU.graphs(on: Self.ordinal).launches
        let values = item.quiet(andLoudAt: item.rows / 2)
        for x in [values.quiet, values.loud, item.input] {
            let input = try cuda.upload(x, item.shape)
            #expect(try repeated([input]).values() == convolve([input]).values())
        }
        #expect(EmulatedGPU.graphs(on: Self.ordinal).launches == before + 2)
    }

    /// A plan is what is needed; and a pool that keeps nothing has nothing to keep for a graph.
    @Test(arguments: [Int.max, 0])
    func countingCountsWhatAGraphKeeps(keeping: Int) throws {
        let before = EmulatedGPU.graphs(on: Self.ordinal).launches
        func peak(_ backend: any StageBackend) throws -> Int {
            backend.resetPeak(keeping: keeping)
            let repeated = backend.repeatable(Self.work)
            var x = try backend.upload([Float](repeating: 1, count: 3500), [1, 5, 700])
            for _ in 0..<4 { x = try repeated([x, x]).outermost(0..<1) }
            return backend.peakActivationBytes
        }
        #expect(try peak(cuda.counting()) == peak(cuda.withOwnMemory()))
        #expect(EmulatedGPU.graphs(on: Self.ordinal).launches == before + (keeping == 0 ? 0 : 3))
    }
}
