import Synchronization
import WeightFile

/// Networks that stay loaded between jobs, so that the next sound reads no weights. What is kept is planned beforehand: see
/// `MemoryPlanner`.
package final class NetworkShelf: Sendable {
    /// What their weights may take, in bytes.
    package let budget: Int

    private struct Kept: Sendable {
        let network: any Sendable
        /// Of the file when it was read.
        var stamp: FileStamp?
    }

    private let kept = Mutex<[String: Kept]>([:])

    package init(budget: Int) { self.budget = budget }

    /// A shelf for whatever networks there are, if memory is not limited.
    package static var unlimited: NetworkShelf { NetworkShelf(budget: 1 << 40) }

    /// What is there, by part.
    package var parts: Set<String> { kept.withLock { Set($0.keys) } }

    /// The network of a part, and the file's stamp when it was read; nil if it is not there.
    package func network<Network: Sendable>(_ part: String) -> (Network, FileStamp?)? {
        kept.withLock { kept in
            guard let found = kept[part], let network = found.network as? Network else { return nil }
            return (network, found.stamp)
        }
    }

    package func keep(_ network: any Sendable, of part: String, _ stamp: FileStamp?) {
        kept.withLock { $0[part] = Kept(network: network, stamp: stamp) }
    }

    /// Notes that a part was found to be what it was, in a file that looks as `stamp` says.
    package func renew(_ part: String, _ stamp: FileStamp?) { kept.withLock { $0[part]?.stamp = stamp } }

    package func remove(_ part: String) { kept.withLock { $0[part] = nil } }

    /// Lets go of all others.
    package func keep(only parts: Set<String>) { kept.withLock { $0 = $0.filter { parts.contains($0.key) } } }
}
