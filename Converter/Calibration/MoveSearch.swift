import Glibc
import Tensors
import WeightFile

/// Finds out how far channels' ranges are best moved from what products read into their weights.
struct MoveSearch {
    let judge: ProductJudge
    let roles: [String: WeightRole]
    /// How a weight is stored before any move.
    let plan: (_ path: String) -> WeightPlan

    /// Shares of the range of inputs that are moved: 1 leaves inputs of equal ranges, 0 weights.
    private static let shares: [Float] = [0.4, 0.55, 0.7, 0.85, 1]
    /// How far ranges of channels have to differ for anything to be tried, as the largest to the median.
    private static let leastSpread: Float = 4
    /// What is changed has to leave no more than this part of the error.
    static let worthwhile = 0.97
    private static let limits: ClosedRange<Float> = 1 / 4096...4096

    /// - Parameter changes: what was found before, to which the best factors are added.
    /// - Returns: whether a move was made.
    func run(_ move: ChannelMove, _ changes: inout [String: WeightChange]) throws -> Bool {
        try Task.checkCancellation()
        guard let candidates = try candidates(move, changes) else { return false }
        func changed(_ path: String, _ changes: [String: WeightChange]) -> WeightPlan {
            var plan = plan(path)
            plan.change = changes[path] ?? WeightChange()
            return plan
        }
        func error(_ changes: [String: WeightChange]) throws -> Double? {
            if move.readers.isEmpty, let queries = move.writers.first?.path, let keys = move.partners.first?.path {
                guard queries == keys else {
                    return try judge.crossError(
                        queries: (queries, changed(queries, changes)), context: (keys, changed(keys, changes)))
                }
                return try judge.error(queries, changed(queries, changes))
            }
            let errors = try move.readers.compactMap { path -> Double? in
                guard judge.requirements[path]?.precision != .float else { return nil }
                return try judge.error(path, changed(path, changes))
            }
            return errors.isEmpty ? nil : errors.reduce(0) { $0 + $1 * $1 }.squareRoot()
        }
        guard let now = try error(changes), now > 0 else { return false }
        var best: (error: Double, changes: [String: WeightChange])?
        for scales in candidates {
            var moved = changes
            move.apply(scales, to: &moved, roles)
            guard let after = try error(moved), after < best?.error ?? .infinity else { continue }
            best = (after, moved)
        }
        guard let best, best.error <= Self.worthwhile * now else { return false }
        changes = best.changes
        return true
    }

    /// - Returns: nil where ranges differ too little for any to be worth it.
    private func candidates(_ move: ChannelMove, _ changes: [String: WeightChange]) throws -> [[Float]]? {
        guard move.channels > 1 else { return nil }
        guard !move.readers.isEmpty else { return try queryCandidates(move) }
        var inputs = [Float](repeating: 0, count: move.channels)
        var columns = inputs
        for path in move.readers {
            guard let role = roles[path] else { continue }
            if let record = judge.record(path), record.channels == move.channels {
                inputs = zip(inputs, record.maxima).map(max)
            }
            let ranges = try columnRanges(path, role)
            columns = zip(columns, ranges).map(max)
        }
        return Self.scales(inputs, columns)
    }

    /// Factors for the channels that a product reads, each of which might do best.
    /// - Returns: nil where ranges differ too little for any to be worth it.
    func inputScales(_ path: String, _ change: WeightChange) throws -> [[Float]]? {
        guard let role = roles[path], let record = judge.record(path), record.channels == role.inputs else {
            return nil
        }
        return Self.scales(record.maxima, try columnRanges(path, role))
    }

    private static func scales(_ inputs: [Float], _ columns: [Float]) -> [[Float]]? {
        guard spread(inputs) > leastSpread || spread(columns) > leastSpread else { return nil }
        return shares.map { share in
            zip(inputs, columns).map { input, column in
                guard input.isNormal, column.isNormal else { return 1 }
                return pow(input, share) / pow(column, 1 - share)
            }
        }.map(centred)
    }

    /// Queries and keys of equal ranges.
    private func queryCandidates(_ move: ChannelMove) throws -> [[Float]]? {
        guard let query = move.writers.first, let key = move.partners.first,
            let queries = try judge.outputMaxima(query.path), let keys = try judge.outputMaxima(key.path),
            queries.count >= query.range.upperBound, keys.count >= key.range.upperBound
        else { return nil }
        let scales = zip(queries[query.range], keys[key.range]).map { query, key -> Float in
            query.isNormal && key.isNormal ? (query / key).squareRoot() : 1
        }
        return Self.spread(scales) > 2 || Self.spread(scales.map { 1 / $0 }) > 2 ? [Self.centred(scales)] : nil
    }

    /// Largest magnitude of each input column of a weight.
    private func columnRanges(_ path: String, _ role: WeightRole) throws -> [Float] {
        let rows = try judge.weights.rows(path)
        let inputs = role.inputs
        var ranges = [Float](repeating: 0, count: inputs)
        try withUnsafeTemporaryAllocation(of: Float.self, capacity: 16 * rows.width) { buffer in
            for first in stride(from: 0, to: rows.rowCount, by: 16) {
                let range = first..<min(first + 16, rows.rowCount)
                let part = UnsafeMutableBufferPointer(rebasing: buffer[0..<range.count * rows.width])
                try rows.read(range, into: part)
                for start in Swift.stride(from: 0, to: part.count, by: inputs) {
                    for column in 0..<inputs { ranges[column] = max(ranges[column], abs(part[start + column])) }
                }
            }
        }
        return ranges
    }

    /// Largest to median.
    private static func spread(_ ranges: [Float]) -> Float {
        let sorted = ranges.filter { $0 > 0 }.sorted()
        guard let largest = sorted.last else { return 1 }
        return largest / sorted[(sorted.count - 1) / 2]
    }

    /// Scales whose median is 1, within limits, as powers of two: what they multiply keeps all its digits, and results do not
    /// hang on the last digit of a range.
    private static func centred(_ scales: [Float]) -> [Float] {
        let median = scales.sorted()[(scales.count - 1) / 2]
        guard median.isNormal else { return scales.map { _ in 1 } }
        return scales.map { exp2(log2(min(max($0 / median, limits.lowerBound), limits.upperBound)).rounded()) }
    }
}
