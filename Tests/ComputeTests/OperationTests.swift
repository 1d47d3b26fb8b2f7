import Compute
import Foundation
import Tensors
import TestSupport
import Testing

@Suite struct OperationTests {
    private let backend: CPUBackend

    init() throws { backend = try CPUBackend(threadCount: 2) }

    @Test func rowsAreTakenInTheOrderAsked() throws {
        let x = try backend.upload((0..<12).map(Float.init), [2, 3, 2])
        let y = try backend.rows(x, [2, 0, 0, 1])
        #expect(y.shape == [2, 4, 2])
        #expect(try y.values() == [4, 5, 0, 1, 0, 1, 2, 3, 10, 11, 6, 7, 6, 7, 8, 9])
        #expect(throws: TensorError.self) { try backend.rows(x, [3]) }
        #expect(throws: TensorError.self) { try backend.rows(x, [-1]) }
    }

    @Test(arguments: [(1, 3, 8, 2), (2, 500, 24, 8), (3, 1, 6, 3)])
    func groupNormEqualsItsDefinition(_ size: (batch: Int, rows: Int, channels: Int, groups: Int)) throws {
        var numbers = TestNumbers(seed: 5)
        // A mean far from zero, which naive sums of squares lose digits to.
        let x = numbers.values(size.batch * size.rows * size.channels).map { $0 + 30 }
        let (scale, shift) = (numbers.values(size.channels), numbers.values(size.channels))
        let y = try backend.groupNorm(
            backend.upload(x, [size.batch, size.rows, size.channels]), groups: size.groups, epsilon: 1e-5,
            scale: vector(scale), shift: vector(shift), activation: .silu)
        var expected = x
        let width = size.channels / size.groups
        for sample in 0..<size.batch {
            for group in 0..<size.groups {
                let places = (0..<size.rows).flatMap { row in
                    (0..<width).map { (sample * size.rows + row) * size.channels + group * width + $0 }
                }
                let mean = places.reduce(0.0) { $0 + Double(x[$1]) } / Double(places.count)
                let variance = places.reduce(0.0) { $0 + pow(Double(x[$1]) - mean, 2) } / Double(places.count)
                for place in places {
                    let channel = place % size.channels
                    let h =
                        (Double(x[place]) - mean) / (variance + 1e-5).squareRoot() * Double(scale[channel])
                        + Double(shift[channel])
                    expected[place] = Float(h / (1 + exp(-h)))
                }
            }
        }
        #expect(relativeError(try y.values(), expected) < 2e-5)
    }

    @Test func concatenationAndSlicesUndoEachOther() throws {
        var numbers = TestNumbers(seed: 6)
        for axis in 0..<3 {
            var shapes: [Shape] = [[2, 3, 4], [2, 3, 4]]
            shapes[1][axis] = 7
            let parts = shapes.map { numbers.values($0.count) }
            let joined = try Tensor.concatenate(
                zip(parts, shapes).map { try backend.upload($0, $1) }, axis: axis)
            #expect(joined.shape[axis] == shapes[0][axis] + 7)
            let first = try joined.slice(axis: axis, 0..<shapes[0][axis])
            let second = try joined.slice(axis: axis, shapes[0][axis]..<joined.shape[axis])
            #expect(try first.values() == parts[0] && second.values() == parts[1])
        }
    }

    @Test(arguments: WeightFormat.allCases)
    func gatherReadsRows(_ format: WeightFormat) throws {
        var numbers = TestNumbers(seed: 7)
        let (weight, meaning) = TestWeight.storing(numbers.values(5 * 7), .table(rows: 5, width: 7), format)
        let table = try backend.prepare(weight)
        let rows = try backend.gather(table, [4, 0, 4]).values()
        #expect(relativeError(rows, [4, 0, 4].flatMap { meaning[$0 * 7..<$0 * 7 + 7] }) < 1e-6)
        #expect(throws: TensorError.self) { try backend.gather(table, [5]) }
    }

    @Test func memoryIsReused() throws {
        let x = try backend.upload([Float](repeating: 1, count: 100_000), [100_000])
        func step() throws { _ = try (x + x).activated(.silu) }
        try step()
        let before = backend.peakActivationBytes
        for _ in 0..<20 { try step() }
        #expect(backend.peakActivationBytes == before)
    }

    @Test func hugeTensorsAreAnErrorNotACrash() {
        #expect(throws: TensorError.self) { try backend.empty([1 << 30, 1 << 30]) }
    }

    private func vector(_ values: [Float]) throws -> any Weight {
        try backend.prepare(TestWeight.storing(values, .vector(count: values.count), .float32).weight)
    }
}
