import Foundation
import Platform
import Synchronization
import Tensors
import TestSupport
import Testing

/// What the system gives a process, in trees of /proc and /sys as machines have them.
@Suite struct SystemTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private static let unified = "31 23 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n"
    private static let separate = """
        31 23 0:28 / /sys/fs/cgroup ro - tmpfs tmpfs ro,mode=755
        32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct
        35 31 0:32 / /sys/fs/cgroup/memory rw shared:9 - cgroup cgroup rw,memory
        41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw

        """

    private func write(_ files: [String: String]) throws {
        for (name, text) in files { try folder.write(text, to: name) }
    }

    private func processors() -> SystemProcessors { SystemFiles.$root.withValue(folder.path) { SystemProcessors() } }

    private func limit() -> MemoryLimit? { SystemFiles.$root.withValue(folder.path) { MemoryLimit.current } }

    private func available() -> Int? { SystemFiles.$root.withValue(folder.path) { MemoryLimit.available } }

    @Test(
        arguments: [
            ("max 100000", nil), ("200000 100000", 2), ("150000 100000", 1.5), ("50000 100000", 0.5),
            ("400000 100000", 3), ("nonsense", nil), ("0 0", nil), ("5 5 5", nil), ("", nil),
        ] as [(String, Double?)])
    func quotasOfVersionTwo(_ text: String, expected: Double?) throws {
        // The group's own parent allows three in one case.
        let parent = expected == 3 ? "300000 100000" : "max 100000"
        try write([
            "proc/self/mountinfo": Self.unified, "proc/self/cgroup": "0::/a/b\n",
            "sys/fs/cgroup/a/b/cpu.max": text + "\n", "sys/fs/cgroup/a/cpu.max": parent + "\n",
        ])
        let found = processors()
        #expect(found.quota == expected)
        #expect(found.quotaFile == expected.map { "/sys/fs/cgroup/a/\($0 == 3 ? "" : "b/")cpu.max" })
        let most = expected.map { Int($0.rounded(.up)) } ?? .max
        #expect(found.count == min(found.bound, most) && found.bound >= 1 && found.online >= found.bound)
    }

    @Test(arguments: ["0::/elsewhere/c\n", "0::/../../other\n", "0::/\n"])
    func withinAContainerTheGroupIsTheRoot(_ groups: String) throws {
        try write([
            "proc/self/mountinfo": Self.unified, "proc/self/cgroup": groups,
            "sys/fs/cgroup/cpu.max": "100000 100000\n", "sys/fs/cgroup/memory.max": "268435456\n",
        ])
        #expect(processors().count == 1)
        #expect(limit() == MemoryLimit(bytes: 256 << 20, source: "/sys/fs/cgroup/memory.max"))
    }

    @Test func quotasOfVersionOne() throws {
        try write([
            "proc/self/mountinfo": Self.separate,
            "proc/self/cgroup": "12:memory:/x\n3:cpu,cpuacct:/docker/1\n1:name=systemd:/\n0::/\n",
        ])
        #expect(processors().quota == nil)
        let place = "sys/fs/cgroup/cpu,cpuacct/docker/1/"
        try write([place + "cpu.cfs_quota_us": "250000\n", place + "cpu.cfs_period_us": "100000\n"])
        #expect(processors().quota == 2.5 && processors().quotaFile == "/" + place + "cpu.cfs_quota_us")
        try write([place + "cpu.cfs_quota_us": "50000\n"])
        #expect(processors().quota == 0.5 && processors().count == 1)
        try write([place + "cpu.cfs_quota_us": "-1\n"])
        #expect(processors().quota == nil)
        #expect(SystemProcessors.available >= 1)
    }

    @Test func whatIsMountedMayBeAGroupItself() throws {
        // A container that sees its own group where the hierarchy's root would be, and has groups in it.
        try write([
            "proc/self/mountinfo": "32 31 0:29 /docker/1 /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n",
            "proc/self/cgroup": "3:cpu:/docker/1/inner\n",
            "sys/fs/cgroup/cpu/inner/cpu.cfs_quota_us": "100000\n",
            "sys/fs/cgroup/cpu/inner/cpu.cfs_period_us": "100000\n",
        ])
        #expect(processors().quota == 1)
    }

    @Test func memoryUpTheTree() throws {
        try write([
            "proc/self/mountinfo": Self.unified, "proc/self/cgroup": "0::/a/b\n",
            "proc/meminfo": "MemTotal:  8000000 kB\nMemFree: 100 kB\nMemAvailable:    4000000 kB\n",
            "proc/self/statm": "9000 600 100 5 0 700 0\n",
            "sys/fs/cgroup/a/b/memory.max": "max\n", "sys/fs/cgroup/a/b/memory.current": "1048576\n",
            "sys/fs/cgroup/memory.max": "max\n",
        ])
        let own = 500 * 4096
        #expect(limit() == nil && available() == 4_000_000 << 10 + own)
        // Others in the parent have taken 300 MiB, a hundred of them for files.
        try write([
            "sys/fs/cgroup/a/memory.max": "\(512 << 20)\n", "sys/fs/cgroup/a/memory.current": "\(300 << 20)\n",
            "sys/fs/cgroup/a/memory.stat": "anon \(200 << 20)\ninactive_file \(60 << 20)\nactive_file \(40 << 20)\n",
        ])
        #expect(limit() == MemoryLimit(bytes: 512 << 20, source: "/sys/fs/cgroup/a/memory.max"))
        #expect(available() == 312 << 20 + own)
        try write(["proc/meminfo": "MemTotal: 8000000 kB\nMemAvailable: 1024 kB\n"])
        #expect(available() == 1 << 20 + own)
    }

    @Test func memoryOfVersionOne() throws {
        let place = "sys/fs/cgroup/memory/x/"
        try write([
            "proc/self/mountinfo": Self.separate, "proc/self/cgroup": "12:memory:/x\n0::/\n",
            "proc/meminfo": "MemTotal: 8000000 kB\nMemAvailable: 8000000 kB\n",
            place + "memory.limit_in_bytes": "9223372036854771712\n",
        ])
        #expect(limit() == nil)
        try write([
            place + "memory.limit_in_bytes": "\(300 << 20)\n", place + "memory.usage_in_bytes": "\(200 << 20)\n",
            place + "memory.stat": "inactive_file 1\ntotal_inactive_file \(90 << 20)\ntotal_active_file \(10 << 20)\n",
        ])
        #expect(limit() == MemoryLimit(bytes: 300 << 20, source: "/" + place + "memory.limit_in_bytes"))
        #expect(available() == 200 << 20)
    }

    @Test func threadsWorkTogether() throws {
        let seen = Mutex<Set<Int>>([])
        SystemThread.together(5, "test") { number in _ = seen.withLock { $0.insert(number) } }
        #expect(seen.withLock(\.self) == [0, 1, 2, 3, 4])
        let done = DispatchSemaphore(value: 0)
        try SystemThread.start("test", stackSize: 1 << 16) { done.signal() }
        #expect(done.wait(timeout: .now() + 60) == .success)
    }

    @Test func refusedThreadsAreErrors() throws {
        #expect(throws: ThreadError.self) { try SystemThread.start("test", stackSize: 1 << 60) {} }
        let reserve = ThreadReserve(3)
        #expect(reserve.refusal == nil)
        reserve.end()
    }
}
