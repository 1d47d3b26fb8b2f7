import Checkpoints
import Tensors

/// A rule that gives a tensor the key that it has in the published folders, or several keys for shares of it.
struct KeyRename: Sendable {
    enum Share: Sendable {
        case whole
        /// Key `i` is row `i`.
        case row
        /// Key `i` is the `i`-th of as many equal parts as there are keys.
        case part
    }

    let from: KeyPattern
    let to: [KeyPattern]
    let share: Share

    init(_ from: KeyPattern, _ to: KeyPattern) { (self.from, self.to, share) = (from, [to], .whole) }

    init(_ from: KeyPattern, _ share: Share, _ to: [KeyPattern]) {
        (self.from, self.to, self.share) = (from, to, share)
    }
}

/// Rules in several steps: in each step the first rule that matches applies.
struct KeyTable: Sendable {
    let steps: [[KeyRename]]

    init(_ steps: [KeyRename]...) { self.steps = steps }

    /// A tensor or a share of one, under its new key.
    struct Renamed: Sendable {
        let key: String
        /// First element in the tensor.
        let first: Int
        let shape: Shape
    }

    /// The new keys of a tensor; the same as before where no rule matches.
    /// - Parameter shape: of a tensor that is in a file, so that counts cannot overflow.
    func renamed(_ key: String, _ shape: Shape) -> [Renamed] {
        steps.reduce([Renamed(key: key, first: 0, shape: shape)]) { tensors, rules in
            tensors.flatMap { tensor in
                for rule in rules {
                    if let captures = rule.from.match(tensor.key) { return rule.shares(of: tensor, captures) }
                }
                return [tensor]
            }
        }
    }
}

extension KeyRename {
    fileprivate func shares(of tensor: KeyTable.Renamed, _ captures: [String]) -> [KeyTable.Renamed] {
        let rows = tensor.shape.extents.first ?? 0
        let rowSize = tensor.shape.extents.dropFirst().reduce(1, *)
        return to.enumerated().compactMap { index, pattern in
            let key = pattern.filled(with: captures)
            switch share {
            case .whole: return KeyTable.Renamed(key: key, first: tensor.first, shape: tensor.shape)
            case .row:
                guard index < rows else { return nil }
                let shape = Shape(Array(tensor.shape.extents.dropFirst()))
                return KeyTable.Renamed(key: key, first: tensor.first + index * rowSize, shape: shape)
            case .part:
                guard rows > 0, rows.isMultiple(of: to.count) else { return nil }
                var shape = tensor.shape
                shape[0] = rows / to.count
                return KeyTable.Renamed(key: key, first: tensor.first + index * shape.count, shape: shape)
            }
        }
    }
}
