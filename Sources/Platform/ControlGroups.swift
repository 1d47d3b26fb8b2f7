/// The control groups that this process is in, of versions 1 and 2, as the system mounts them here.
struct ControlGroups {
    /// A group's folder, and the version that names its files.
    struct Folder: Equatable {
        let path: String
        let isUnified: Bool
    }

    private struct Mount {
        /// The group that is seen at `place`: within a container not always the hierarchy's own root.
        let group: Substring
        let place: Substring
        /// Of version 1; nil for version 2, which has one hierarchy for all.
        let controllers: [Substring]?
    }

    private let mounts: [Mount]
    /// The process' groups: controllers, none of which stands for version 2, and the path.
    private let groups: [(controllers: [Substring], path: Substring)]

    /// As `SystemFiles` has them now.
    init() {
        mounts = (SystemFiles.text("/proc/self/mountinfo") ?? "").split(separator: "\n").compactMap(Self.mount)
        groups = (SystemFiles.text("/proc/self/cgroup") ?? "").split(separator: "\n").compactMap { line in
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            return fields.count == 3 ? (fields[1].split(separator: ","), fields[2]) : nil
        }
    }

    /// Folders that may bound what a controller gives: the process' own, then those that it is in.
    func folders(of controller: String) -> [Folder] {
        groups.flatMap { group -> [Folder] in
            let isUnified = group.controllers.isEmpty
            guard isUnified || group.controllers.contains(where: { $0 == controller }) else { return [] }
            let mount = mounts.first { mount in
                mount.controllers.map { !isUnified && $0.contains { $0 == controller } } ?? isUnified
            }
            guard let mount else { return [] }
            return Self.ancestors(of: Self.path(group.path, below: mount.group)).map {
                Folder(path: mount.place + $0, isUnified: isUnified)
            }
        }
    }

    /// Numbers of the mount, its parent and its device, its root in its file system, its place, options, some fields more, a
    /// dash, and then the kind of file system, its source and its own options.
    private static func mount(_ line: Substring) -> Mount? {
        let fields = line.split(separator: " ")
        guard let dash = fields.firstIndex(of: "-"), dash > 5, fields.count > dash + 1 else { return nil }
        switch fields[dash + 1] {
        case "cgroup2": return Mount(group: fields[3], place: fields[4], controllers: nil)
        case "cgroup":
            return Mount(group: fields[3], place: fields[4], controllers: fields.last?.split(separator: ",") ?? [])
        default: return nil
        }
    }

    /// A group's names from that which is mounted; none if it is not in it, as containers may say.
    private static func path(_ group: Substring, below mounted: Substring) -> ArraySlice<Substring> {
        let (names, root) = (group.split(separator: "/"), mounted.split(separator: "/"))
        // Groups beside the root of their namespace are called so.
        guard !names.contains("..") else { return [] }
        return names.starts(with: root) ? names.dropFirst(root.count) : names[...]
    }

    /// Paths of a group and those that it is in, that of the root, which is empty, last: within a container only that may be
    /// there.
    private static func ancestors(of names: ArraySlice<Substring>) -> [String] {
        (0...names.count).reversed().map { names.prefix($0).map { "/" + $0 }.joined() }
    }
}
