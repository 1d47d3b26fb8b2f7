import Compute
import Foundation
import Tensors
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

    /// Samples take turns with the biases that there are.
    @Test func attentionWithABiasForSomeSamplesEqualsEachAlone() throws {
        var numbers = TestNumbers(seed: 5)
        let (batch, tokens, heads, channels) = (4, 6, 2, 8)
        let x = try backend.upload(numbers.values(batch * tokens * channels), [batch, tokens, channels])
        let biases = numbers.values(2 * heads * tokens * tokens)
        func attend(_ x: Tensor, _ bias: Tensor) throws -> Tensor {
            try backend.attention(
                AttentionInput(
                    query: Columns(x), key: Columns(x), value: Columns(x), heads: heads, scale: 0.5, bias: bias))
        }
        let together = try attend(x, backend.upload(biases, [2, heads, tokens, tokens]))
        for sample in 0..<batch {
            let bias = Array(biases[(sample % 2) * biases.count / 2..<(sample % 2 + 1) * biases.count / 2])
            let alone = try attend(
                x.outermost(sample..<sample + 1), backend.upload(bias, [heads, tokens, tokens]))
            #expect(try together.outermost(sample..<sample + 1).values() == alone.values())
        }
        #expect(throws: TensorError.self) {
            try attend(x, backend.upload(biases, [2, heads * tokens, tokens]))
        }
    }

    @Test(arguments: [false, true], [(5, 5), (70, 70), (3, 131)])
    func attentionEqualsItsDefinition(_ causal: Bool, _ size: (queries: Int, keys: Int)) throws {
        var numbers = TestNumbers(seed: 4)
        let (batch, heads, width) = (2, 3, 8)
        let channels = heads * width
        let q = numbers.values(batch * size.queries * channels)
        // Keys and values lie in one tensor with room for more tokens, as in a cache.
        let capacity = size.keys + 2
        let kv = numbers.values(batch * capacity * 2 * channels)
        let bias = numbers.values(heads * size.queries * size.keys)
        let mask = (0..<batch * size.keys).map { $0 % 5 == 4 ? Float(-10000) : 0 }
        let keysAndValues = try backend.upload(kv, [batch, capacity, 2 * channels])
        let y = try backend.attention(
            AttentionInput(
                query: Columns(backend.upload(q, [batch, size.queries, channels])),
                key: Columns(keysAndValues, from: 0, width: channels),
                value: Columns(keysAndValues, from: channels, width: channels), keyCount: size.keys, heads: heads,
                scale: 0.5, bias: backend.upload(bias, [heads, size.queries, size.keys]),
                mask: backend.upload(mask, [batch, size.keys]), causal: causal))

        var expected = [Float](repeating: 0, count: q.count)
        for sample in 0..<batch {
            for head in 0..<heads {
                for query in 0..<size.queries {
                    let visible = causal ? size.keys - size.queries + query + 1 : size.keys
                    let scores = (0..<visible).map { key in
                        let dot = (0..<width).reduce(0.0) { sum, channel in
                            let a = q[(sample * size.queries + query) * channels + head * width + channel]
                            let b = kv[(sample * capacity + key) * 2 * channels + head * width + channel]
                            return sum + Double(a) * Double(b)
                        }
                        return 0.5 * dot + Double(bias[(head * size.queries + query) * size.keys + key])
                            + Double(mask[sample * size.keys + key])
                    }
                    let largest = scores.max() ?? 0
                    let weights = scores.map { exp($0 - largest) }
                    let total = weights.reduce(0, +)
                    for channel in 0..<width {
                        let sum = (0..<visible).reduce(0.0) { sum, key in
                            let place = (sample * capacity + key) * 2 * channels + channels + head * width + channel
                            return sum + weights[key] / total * Double(kv[place])
                        }
                        expected[(sample * size.queries + query) * channels + head * width + channel] = Float(sum)
                    }
                }
            }
        }
        #expect(relativeError(try y.values(), expected) < 1e-5)
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
