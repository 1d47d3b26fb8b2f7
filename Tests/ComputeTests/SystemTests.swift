import Foundation
import Platform
import Synchronization
import Tensors
import TestSupport
import Testing

/// What the system gives a process.
@Suite struct SystemTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test(
        arguments: [
            ("max 100000", nil), ("200000 100000", 2), ("150000 100000", 2), ("10000 100000", 1), ("400000 100000", 3),
            ("nonsense", nil), ("0 0", nil),
        ] as [(String, Int?)])
    func quotasOfVersionTwo(_ text: String, expected: Int?) throws {
        try folder.write(text + "\n", to: "a/b/cpu.max")
        // The group's own parent allows three.
        try folder.write((expected == 3 ? "300000 100000" : "max 100000") + "\n", to: "a/cpu.max")
        #expect(SystemProcessors.quota(groups: "0::/a/b\n", root: folder.path) == expected)
        // Within a container the group is the root.
        try folder.write("100000 100000\n", to: "cpu.max")
        #expect(SystemProcessors.quota(groups: "0::/elsewhere/c\n", root: folder.path) == 1)
    }

    @Test func quotasOfVersionOne() throws {
        let groups = "12:memory:/x\n3:cpu,cpuacct:/docker/1\n1:name=systemd:/\n"
        #expect(SystemProcessors.quota(groups: groups, root: folder.path) == nil)
        try folder.write("250000\n", to: "cpu,cpuacct/docker/1/cpu.cfs_quota_us")
        try folder.write("100000\n", to: "cpu,cpuacct/docker/1/cpu.cfs_period_us")
        #expect(SystemProcessors.quota(groups: groups, root: folder.path) == 3)
        try folder.write("-1\n", to: "cpu,cpuacct/docker/1/cpu.cfs_quota_us")
        #expect(SystemProcessors.quota(groups: groups, root: folder.path) == nil)
        #expect(SystemProcessors.available >= 1)
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
