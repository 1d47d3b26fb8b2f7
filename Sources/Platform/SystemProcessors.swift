import FoundationEssentials
import Glibc
import Text

/// The processors that this process may use: those it is bound to (`taskset`, cpusets), and no more than its control groups
/// give it time on (`docker run --cpus`, Kubernetes' limits). Foundation counts those of the machine.
package struct SystemProcessors: Sendable, Equatable {
    /// One or more.
    package static let available = SystemFiles.$root.withValue("") { SystemProcessors().count }

    /// Of the machine.
    package let online: Int
    /// How many of them the process is bound to.
    package let bound: Int
    /// The time that control groups allow, in processors; nil for no limit.
    package let quota: Double?
    /// The file that says so.
    package let quotaFile: String?

    /// As it is now.
    package init() {
        let all = Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        bound = Self.affinity ?? max(all, 1)
        online = max(all, bound)
        let least = Self.quotas.min { $0.processors < $1.processors }
        quota = least?.processors
        quotaFile = least?.file
    }

    /// Threads that find work for all of their time, and one in any case.
    package var count: Int { max(1, min(bound, quota.flatMap { Int(exactly: $0.rounded(.up)) } ?? .max)) }

    /// A GNU extension, which Swift's module of the C library leaves out.
    private typealias GetAffinity = @convention(c) (pid_t, Int, UnsafeMutableRawPointer) -> Int32

    /// How many processors the process is bound to; nil if that cannot be found out.
    private static var affinity: Int? {
        guard let symbol = dlsym(nil, "sched_getaffinity") else { return nil }
        var mask = [UInt64](repeating: 0, count: 128)
        let size = mask.count * MemoryLayout<UInt64>.size
        guard unsafeBitCast(symbol, to: GetAffinity.self)(0, size, &mask) == 0 else { return nil }
        return mask.reduce(0) { $0 + $1.nonzeroBitCount }
    }

    private static var quotas: [(processors: Double, file: String)] {
        ControlGroups().folders(of: "cpu").compactMap { folder in
            let name = folder.path + (folder.isUnified ? "/cpu.max" : "/cpu.cfs_quota_us")
            let fields = (SystemFiles.text(name) ?? "").split(whereSeparator: \.isWhitespace).map { Double($0) }
            let period =
                folder.isUnified ? fields.last : SystemFiles.number(folder.path + "/cpu.cfs_period_us").map(Double.init)
            guard fields.count == (folder.isUnified ? 2 : 1), let quota = fields[0], let period = period ?? nil,
                quota > 0, period > 0
            else { return nil }
            return (quota / period, name)
        }
    }
}
