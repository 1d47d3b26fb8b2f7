import Layers
import Tensors
import WeightFile

/// A square picture cut into square windows, perhaps shifted cyclically first.
package struct WindowPartition: Sendable {
    /// Tokens along a side of the picture, a multiple of the window's.
    let side: Int
    let window: Int
    let shift: Int

    package init(side: Int, window: Int, shift: Int) {
        self.side = side
        self.window = window
        self.shift = shift
    }

    /// Windows in the picture.
    var count: Int { (side / window) * (side / window) }
    var tokensPerWindow: Int { window * window }

    /// For every token of every window in turn, where it is in the picture.
    var order: [Int] {
        (0..<count * tokensPerWindow).map { place in
            let (row, column) = position(place)
            return (row + shift) % side * side + (column + shift) % side
        }
    }

    /// For every token of the picture, which of the windows' tokens it is.
    var inverse: [Int] {
        var inverse = [Int](repeating: 0, count: side * side)
        for (place, token) in order.enumerated() { inverse[token] = place }
        return inverse
    }

    /// Which tokens were neighbours before the shift: those of one region of the shifted picture.
    func region(_ place: Int) -> Int {
        func part(_ index: Int) -> Int { index < side - window ? 0 : index < side - shift ? 1 : 2 }
        let (row, column) = position(place)
        return 3 * part(row) + part(column)
    }

    /// In the shifted picture.
    private func position(_ place: Int) -> (row: Int, column: Int) {
        let (index, token) = place.quotientAndRemainder(dividingBy: tokensPerWindow)
        let perSide = side / window
        return (index / perSide * window + token / window, index % perSide * window + token % window)
    }
}

/// Self-attention within the windows of a picture, with a learned bias for every offset between two tokens.
///
/// Liu et al. 2021, section 3.2; transformers `ClapAudioSelfAttention`.
struct WindowAttention: Sendable {
    private let attention: SelfAttention
    private let offsets: any Weight
    private let windows: WindowPartition
    private let heads: Int

    init(_ channels: Int, heads: Int, windows: WindowPartition, qkvBias: Bool, _ weights: WeightScope) throws {
        attention = try SelfAttention(
            channels, heads: heads, qkvBias: qkvBias, names: .init(qkv: "self.qkv", output: "output.dense"), weights)
        let span = 2 * windows.window - 1
        offsets = try weights["self"].preferring(.full).table(
            "relative_position_bias_table", rows: span * span, width: heads)
        (self.windows, self.heads) = (windows, heads)
    }

    /// `[pictures, tokens, channels]` → the same.
    func callAsFunction(_ x: Tensor) throws -> Tensor {
        let cut: Shape = [x.shape[0] * windows.count, windows.tokensPerWindow, x.shape[2]]
        let attended = try attention(
            x.backend.rows(x, windows.order).reshaped(cut), bias: bias(on: x.backend))
        return try x.backend.rows(attended.reshaped(x.shape), windows.inverse)
    }

    /// `[heads, tokens, tokens]`, or with a shift `[windows, heads, tokens, tokens]`: tokens that only the shift brought
    /// together hardly see each other.
    private func bias(on backend: any Backend) throws -> Tensor {
        let (span, tokens) = (2 * windows.window - 1, windows.tokensPerWindow)
        let table = try backend.gather(offsets, Array(0..<span * span)).values()
        let count = windows.shift > 0 ? windows.count : 1
        var bias = [Float](repeating: 0, count: count * heads * tokens * tokens)
        for sample in 0..<count {
            let regions = (0..<tokens).map { windows.region(sample * tokens + $0) }
            for query in 0..<tokens {
                for key in 0..<tokens {
                    let row = query / windows.window - key / windows.window + windows.window - 1
                    let column = query % windows.window - key % windows.window + windows.window - 1
                    let mask: Float = count > 1 && regions[query] != regions[key] ? -100 : 0
                    for head in 0..<heads {
                        bias[((sample * heads + head) * tokens + query) * tokens + key] =
                            table[(row * span + column) * heads + head] + mask
                    }
                }
            }
        }
        let shape: Shape = [heads, tokens, tokens]
        return try backend.upload(bias, count > 1 ? Shape([count] + shape.extents) : shape)
    }
}
