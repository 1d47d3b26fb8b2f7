import FoundationEssentials
import Glibc
import Text

/// The processors that this process may use: those it is bound to (`taskset`, cpusets), and no more than its control groups
/// give it time on (`docker run --cpus`, Kubernetes' limits). Foundation counts those of the machine.
package enum SystemProcessors {
    /// One or more.
    package static let available = max(1, min(bound ?? ProcessInfo.processInfo.activeProcessorCount, quota() ?? .max))

    /// A GNU extension, which Swift's module of the C library leaves out.
    private typealias GetAffinity = @convention(c) (pid_t, Int, UnsafeMutableRawPointer) -> Int32

    /// How many processors the process is bound to; nil if that cannot be found out.
    private static var bound: Int? {
        guard let symbol = dlsym(nil, "sched_getaffinity") else { return nil }
        var mask = [UInt64](repeating: 0, count: 128)
        let size = mask.count * MemoryLayout<UInt64>.size
        guard unsafeBitCast(symbol, to: GetAffinity.self)(0, size, &mask) == 0 else { return nil }
        return mask.reduce(0) { $0 + $1.nonzeroBitCount }
    }

    /// The processors' time that control groups allow, in whole processors; nil for no limit.
    /// - Parameters:
    ///   - groups: the process' own, as the system lists them.
    ///   - root: where control groups are mounted.
    package static func quota(
        groups: String = text("/proc/self/cgroup") ?? "", root: String = "/sys/fs/cgroup"
    ) -> Int? {
        let shares = groups.split(separator: "\n").flatMap { line -> [Double] in
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { return [] }
            // Version 2 has one hierarchy; version 1 one for each set of controllers.
            if fields[1].isEmpty { return ancestors(of: fields[2]).compactMap { unified(root + $0) } }
            guard fields[1].split(separator: ",").contains("cpu") else { return [] }
            return ancestors(of: fields[2]).compactMap { separate("\(root)/\(fields[1])\($0)") }
        }
        return shares.min().map { Int($0.rounded(.up)) }
    }

    /// A group's path and those that it is in, the root's, which is empty, last: within a container only that may be there.
    private static func ancestors(of path: Substring) -> [String] {
        let names = path.split(separator: "/")
        return (0...names.count).reversed().map { names.prefix($0).map { "/" + $0 }.joined() }
    }

    private static func unified(_ folder: String) -> Double? {
        let fields = (text(folder + "/cpu.max") ?? "").split(whereSeparator: \.isWhitespace).map { Double($0) }
        return fields.count == 2 ? share(fields[0], of: fields[1]) : nil
    }

    private static func separate(_ folder: String) -> Double? {
        func number(_ name: String) -> Double? {
            text("\(folder)/\(name)").flatMap { Double($0.trimmed) }
        }
        return share(number("cpu.cfs_quota_us"), of: number("cpu.cfs_period_us"))
    }

    private static func share(_ quota: Double?, of period: Double?) -> Double? {
        guard let quota, let period, quota > 0, period > 0 else { return nil }
        return quota / period
    }

    package static func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }
}
