/// The tokens of a vocabulary by id, as bytes: one run and where each token ends.
///
/// Bytes, because Swift's strings are equal when they are canonically equivalent, and a vocabulary holds "é" composed
/// and decomposed as two tokens.
package struct TokenTable: Hashable, Sendable {
    /// No published vocabulary of text is near this; it bounds what a damaged file can make us allocate.
    package static let maximumCount = 1 << 20

    package private(set) var bytes: [UInt8]
    /// `ends[id]` is one past the last byte of token `id`.
    private var ends: [Int]

    package init() {
        bytes = []
        ends = []
    }

    package init(_ tokens: some Sequence<some Collection<UInt8>>) {
        self.init()
        for token in tokens { append(token) }
    }

    /// Tokens of these lengths cut from `bytes`; nil if the lengths do not add up.
    init?(bytes: some Collection<UInt8>, lengths: [Int]) {
        self.bytes = Array(bytes)
        ends = []
        ends.reserveCapacity(lengths.count)
        var end = 0
        for length in lengths {
            guard length >= 0, length <= self.bytes.count - end else { return nil }
            end += length
            ends.append(end)
        }
        guard end == self.bytes.count else { return nil }
    }

    package var count: Int { ends.count }

    /// The token `id`, which must be below `count`.
    package subscript(id: Int) -> ArraySlice<UInt8> { bytes[(id == 0 ? 0 : ends[id - 1])..<ends[id]] }

    /// The token `id`, or nil if there is none.
    func token(_ id: Int) -> ArraySlice<UInt8>? { (0..<count).contains(id) ? self[id] : nil }

    package mutating func append(_ token: some Collection<UInt8>) {
        bytes.append(contentsOf: token)
        ends.append(bytes.count)
    }
}
