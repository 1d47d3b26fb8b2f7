import Platform
import Tensors

/// Where a component's weights are while it computes. Uncompressed ones are used in place in the mapped file always.
package enum WeightResidency: Sendable {
    /// Compressed ones are decompressed once, and stay.
    case resident
    /// Large compressed ones are decompressed ahead of each use.
    case streamed(WeightStreaming)
    /// There are no weights, only their sizes: what asks for them computes nothing. Uses are noted.
    case planned(WeightUses)
}

/// How weights pass through memory that is too small for all of them.
package struct WeightStreaming: Sendable {
    /// Bytes for weights that come and go; one weight that is larger gets what it needs.
    package let window: Int
    /// Weights that come and go; all others stay.
    package let streamed: Set<String>
    /// The weight that is used after each one, in a loop.
    package let successors: [String: String]

    package init(window: Int, streamed: Set<String>, successors: [String: String]) {
        self.window = window
        self.streamed = streamed
        self.successors = successors
    }
}

extension PackTensor {
    /// True if it takes memory of its own only as far as it is decompressed.
    package var isStreamable: Bool {
        guard isCompressed else { return false }
        if case .vector = description.role { return false }
        return true
    }

    /// What it takes in memory once it is decompressed.
    package var memoryByteCount: Int { SystemMemory.footprint(byteCount) }

    /// What a table takes that is read a row at a time: a chunk, and what decompresses it.
    package static var pagedByteCount: Int { 3 * PackFormat.chunkByteCount }

    /// True for a table that is read a row at a time where memory is short.
    package var isPaged: Bool {
        guard isCompressed, chunkCount > 1, case .table = description.role else { return false }
        return true
    }
}
