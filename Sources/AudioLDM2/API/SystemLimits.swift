import FoundationEssentials
import Glibc
import Platform

/// What the system lets this process use: `taskset`, `ulimit`, `docker run --cpus --memory`, the limits of Kubernetes and Slurm.
///
/// Pipelines start as many threads as these allow, and plan memory within them.
public struct SystemLimits: Sendable, Hashable, Codable {
    /// Processors of the machine.
    public let processors: Int
    /// How many of them the process is bound to (`taskset`, cpusets).
    public let boundProcessors: Int
    /// The time that control groups allow, in processors, such as 0.5; nil for no limit.
    public let processorQuota: Double?
    /// The file that says so.
    public let processorQuotaFile: String?
    /// Threads that find work for all of their time: one or more.
    public let threads: Int
    /// The most memory, in bytes; nil for no limit.
    public let memory: Int?
    /// What says so: a resource limit by the commands that set it, or a control group's file.
    public let memorySource: String?
    /// Memory that the process could have without others' being taken away, with what it has, in bytes; nil if the system
    /// does not say.
    public let availableMemory: Int?

    /// As they are now.
    public static var current: SystemLimits {
        let (processors, limit) = (SystemProcessors(), MemoryLimit.current)
        return SystemLimits(
            processors: processors.online, boundProcessors: processors.bound, processorQuota: processors.quota,
            processorQuotaFile: processors.quotaFile, threads: processors.count, memory: limit?.bytes,
            memorySource: limit?.source, availableMemory: MemoryLimit.available)
    }
}

extension SystemLimits: CustomStringConvertible {
    /// Two lines: of processors, and of memory.
    public var description: String {
        var time = "\(threads) of \(processors) processors"
        if boundProcessors < processors { time += "; the process is bound to \(boundProcessors)" }
        if let processorQuota, let processorQuotaFile {
            time += "; \(processorQuotaFile) allows \((processorQuota * 100).rounded() / 100)"
        }
        let limit = memory.map { "\(MemoryPlan.mebibytes($0)) at the most (\(memorySource ?? ""))" } ?? "no limit"
        let available = availableMemory.map { ", \(MemoryPlan.mebibytes($0)) available" } ?? ""
        return "system: \(time)\nsystem: memory: \(limit)\(available)"
    }
}
