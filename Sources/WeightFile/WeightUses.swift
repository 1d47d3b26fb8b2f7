import Glibc
import Synchronization
import Tensors

/// In which order a model uses its weights, noted while it runs without them.
package final class WeightUses: Sendable {
    private struct State {
        var successors: [String: String] = [:]
        var order: [String] = []
        var seen: Set<String> = []
        var last: String?
    }

    private let state = Mutex(State())

    package init() {}

    /// Each weight once, in the order of first use.
    package var order: [String] { state.withLock { $0.order } }

    /// What was used after each weight, the last time.
    package func successors(among names: Set<String>) -> [String: String] {
        let all = state.withLock { $0.successors }
        var result: [String: String] = [:]
        for name in names {
            var next = all[name]
            var steps = 0
            while let candidate = next, !names.contains(candidate), steps < all.count {
                next = all[candidate]
                steps += 1
            }
            if let next, names.contains(next) { result[name] = next }
        }
        return result
    }

    func note(_ name: String) {
        state.withLock { state in
            if let last = state.last, last != name { state.successors[last] = name }
            if state.seen.insert(name).inserted { state.order.append(name) }
            state.last = name
        }
    }
}

/// A weight that is planned with: its bytes are zero and take no memory.
final class PlannedWeightData: WeightData {
    let description: WeightDescription
    let name: String
    private let key: String
    private let zeros: ZeroMemory
    private let uses: WeightUses

    /// - Parameter key: under which uses are noted.
    init(_ description: WeightDescription, name: String, key: String, zeros: ZeroMemory, uses: WeightUses) {
        (self.description, self.name, self.key) = (description, name, key)
        (self.zeros, self.uses) = (zeros, uses)
    }

    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
        uses.note(key)
        return try body(UnsafeRawBufferPointer(rebasing: zeros.bytes[..<description.byteCount]))
    }
}

/// Zeros that are all in one page of the system's, however many.
final class ZeroMemory: @unchecked Sendable {
    // Unchecked: nobody can write to them.
    let bytes: UnsafeRawBufferPointer

    /// nil if there is no room for them among the addresses.
    init?(byteCount: Int) {
        let count = max(byteCount, 1)
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        guard let start = mmap(nil, count, PROT_READ, flags, -1, 0), start != MAP_FAILED else { return nil }
        bytes = UnsafeRawBufferPointer(start: start, count: count)
    }

    deinit { munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count) }
}
