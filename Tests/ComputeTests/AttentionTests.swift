import Compute
import Foundation
import Tensors
import TestSupport
import Testing

@Suite struct AttentionTests {
    private let backend: CPUBackend

    init() throws { backend = try CPUBackend(threadCount: 2) }

    @Test(arguments: [false, true], [(5, 5), (70, 70), (3, 131), (200, 300)])
    func floatsEqualTheDefinition(_ causal: Bool, _ size: (queries: Int, keys: Int)) throws {
        let operands = Operands(batch: 2, queries: size.queries, keys: size.keys, heads: 3, width: 8)
        let bias = operands.bias
        let y = try backend.attention(
            AttentionInput(
                query: operands.query(on: backend), context: .plain(operands.context(.float, on: backend)), scale: 0.5,
                bias: backend.upload(bias, [3, size.queries, size.keys]), causal: causal))
        #expect(relativeError(try y.values(), operands.expected(scale: 0.5, bias: bias, causal: causal)) < 1e-5)
    }

    @Test(arguments: [(1, 1, 4), (5, 8, 32), (70, 23, 32), (130, 1000, 48), (33, 100, 80), (64, 260, 7)])
    func bytesAreNearTheDefinition(_ size: (queries: Int, keys: Int, width: Int)) throws {
        let operands = Operands(batch: 2, queries: size.queries, keys: size.keys, heads: 3, width: size.width)
        let context = try operands.context(.quantized, on: backend)
        let input = AttentionInput(query: try operands.query(on: backend), context: .plain(context), scale: 0.2)
        let y = try backend.attention(input).values()
        #expect(relativeError(y, operands.expected(scale: 0.2)) < 0.03)

        var prepared = input
        prepared.context = .prepared(try backend.prepare(context))
        for threads in 1...3 {
            #expect(try backend.attention(prepared).values() == y)
            let other = try CPUBackend(threadCount: threads)
            let copy = AttentionInput(
                query: try operands.query(on: other), context: .plain(try operands.context(.quantized, on: other)),
                scale: 0.2)
            #expect(try other.attention(copy).values() == y)
        }
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

    @Test func whatDoesNotFitIsRefused() throws {
        let operands = Operands(batch: 1, queries: 4, keys: 6, heads: 2, width: 4)
        let query = try operands.query(on: backend)
        let bytes = try operands.context(.quantized, on: backend)
        let bias = try backend.upload([Float](repeating: 0, count: 2 * 4 * 6), [2, 4, 6])
        var wide = try operands.context(.float, on: backend)
        wide.heads = 3
        var long = wide
        long.keyCount = 100
        var empty = wide
        empty.keyCount = 0
        var masked = wide
        masked.mask = bias
        let inputs = [
            AttentionInput(query: query, context: .plain(bytes), scale: 1, causal: true),
            AttentionInput(query: query, context: .plain(bytes), scale: 1, bias: bias),
            AttentionInput(query: Columns(query.tensor, width: 4), context: .plain(bytes), scale: 1),
        ]
        for input in inputs
            + [wide, long, empty, masked].map({
                AttentionInput(query: query, context: .plain($0), scale: 1)
            })
        {
            #expect(throws: TensorError.self) { try backend.attention(input) }
        }
    }
}

/// Queries, keys, values and masks, and what attention makes of them by its definition.
private struct Operands {
    let batch, queries, keys, heads, width: Int
    let q, kv, mask, bias: [Float]

    var channels: Int { heads * width }
    /// Keys and values lie in one tensor with room for more tokens, as in a cache.
    var capacity: Int { keys + 2 }

    init(batch: Int, queries: Int, keys: Int, heads: Int, width: Int) {
        (self.batch, self.queries, self.keys, self.heads, self.width) = (batch, queries, keys, heads, width)
        var numbers = TestNumbers(seed: 4)
        q = numbers.values(batch * queries * heads * width)
        kv = numbers.values(batch * (keys + 2) * 2 * heads * width)
        bias = numbers.values(heads * queries * keys)
        mask = (0..<batch * keys).map { $0 % 5 == 4 ? Float(-10000) : 0 }
    }

    func query(on backend: CPUBackend) throws -> Columns {
        Columns(try backend.upload(q, [batch, queries, channels]))
    }

    func context(_ arithmetic: ActivationMode, on backend: CPUBackend) throws -> AttentionContext {
        let keysAndValues = try backend.upload(kv, [batch, capacity, 2 * channels])
        return AttentionContext(
            key: Columns(keysAndValues, from: 0, width: channels),
            value: Columns(keysAndValues, from: channels, width: channels), keyCount: keys, heads: heads,
            mask: try backend.upload(mask, [batch, keys]), arithmetic: arithmetic)
    }

    func expected(scale: Double, bias: [Float]? = nil, causal: Bool = false) -> [Float] {
        var result = [Float](repeating: 0, count: q.count)
        for sample in 0..<batch {
            for head in 0..<heads {
                for query in 0..<queries {
                    let weights = weights(sample, head, query, scale: scale, bias: bias, causal: causal)
                    for channel in 0..<width {
                        let sum = weights.enumerated().reduce(0.0) { sum, weight in
                            let row = (sample * capacity + weight.offset) * 2 * channels + channels
                            return sum + weight.element * Double(kv[row + head * width + channel])
                        }
                        result[(sample * queries + query) * channels + head * width + channel] = Float(sum)
                    }
                }
            }
        }
        return result
    }

    private func weights(
        _ sample: Int, _ head: Int, _ query: Int, scale: Double, bias: [Float]?, causal: Bool
    ) -> [Double] {
        let visible = causal ? keys - queries + query + 1 : keys
        let scores = (0..<visible).map { key in
            let dot = (0..<width).reduce(0.0) { sum, channel in
                let a = q[(sample * queries + query) * channels + head * width + channel]
                let b = kv[(sample * capacity + key) * 2 * channels + head * width + channel]
                return sum + Double(a) * Double(b)
            }
            return scale * dot + Double(mask[sample * keys + key])
                + Double(bias?[(head * queries + query) * keys + key] ?? 0)
        }
        let largest = scores.max() ?? 0
        let powers = scores.map { exp($0 - largest) }
        let total = powers.reduce(0, +)
        return powers.map { $0 / total }
    }
}
