import WeightFile

/// The ways in which one stage's weights can be held, and what each takes.
struct StageWeights {
    private let component: PackComponent
    private let uses: WeightUses
    /// Weights that can come and go, in the order of their use.
    private let moving: [PackTensor]

    init(_ component: PackComponent, uses: WeightUses) {
        (self.component, self.uses) = (component, uses)
        let byName = Dictionary(uniqueKeysWithValues: component.tensors.map { ($0.name, $0) })
        moving = uses.order.compactMap { byName[$0] }.filter { $0.isStreamable && !$0.isPaged }
    }

    /// Used in place in the file.
    var mappedBytes: Int { component.tensors.filter { !$0.isCompressed }.reduce(0) { $0 + $1.byteCount } }

    /// With all of them in memory.
    var residentBytes: Int { component.tensors.filter(\.isCompressed).reduce(0) { $0 + $1.memoryByteCount } }

    /// The least with which a stage can work: what must stay, and the two largest of those that come and go, as one may
    /// be computed with while another is used.
    var leastBytes: Int { stayingBytes + moving.map(\.memoryByteCount).sorted().suffix(2).reduce(0, +) }

    /// As many weights stay as there is room for beside a window through which the others pass.
    /// - Returns: nil if `budget` bytes are less than the least.
    func streaming(within budget: Int) -> (plan: WeightStreaming, bytes: Int)? {
        guard budget >= leastBytes else { return nil }
        let largest = moving.map(\.memoryByteCount).max() ?? 0
        let total = moving.reduce(0) { $0 + $1.memoryByteCount }
        let room = budget - stayingBytes
        let window = min(room, max(3 * largest, Self.comfortableWindow))
        // What stays is spread evenly over the order of use, so that there is always something to decompress meanwhile.
        var staying = Set<String>()
        var (held, seen) = (0, 0)
        for tensor in moving {
            seen += tensor.memoryByteCount
            let share = Double(room - window) * Double(seen) / Double(total)
            if Double(held + tensor.memoryByteCount) <= share {
                held += tensor.memoryByteCount
                staying.insert(tensor.name)
            }
        }
        let streamed = Set(component.tensors.filter { $0.isStreamable && !staying.contains($0.name) }.map(\.name))
        let plan = WeightStreaming(window: window, streamed: streamed, successors: uses.successors(among: streamed))
        return (plan, stayingBytes + window + held)
    }

    /// Enough for several layers, so that decompressing need not wait for the layer that computes.
    private static let comfortableWindow = 24 << 20

    /// Vectors stay; tables are read a chunk at a time; what nobody uses is not read.
    private var stayingBytes: Int {
        component.tensors.reduce(0) { sum, tensor in
            if tensor.isPaged { return sum + PackTensor.pagedByteCount }
            return tensor.isCompressed && !tensor.isStreamable ? sum + tensor.memoryByteCount : sum
        }
    }
}
