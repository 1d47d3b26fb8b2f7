import Evaluation

/// The sounds that systems have in common, by name.
struct TestSounds {
    struct Item {
        let name: String
        let prompt: String?
        /// Of each system.
        let paths: [String]
        let reference: String?
    }

    let systems: [String]
    let items: [Item]
    let hasReference: Bool
    let notes: [String]

    /// - Parameter prompts: by sounds' names; else those of manifests are taken.
    /// - Throws: `ListeningTestError` if nothing is common to all.
    init(systems: [(name: String, set: SoundSet)], reference: SoundSet?, prompts: [String: String]) throws {
        let names = systems.map(\.name)
        guard !names.isEmpty else { throw ListeningTestError.options("name a folder of sounds, or several") }
        guard Set(names).count == names.count else {
            throw ListeningTestError.options(
                "two systems are called \(names.first { name in names.count { $0 == name } > 1 } ?? ""): rename a folder, "
                    + "its name is that of the system")
        }
        let sets = systems.map(\.set) + [reference].compactMap(\.self)
        let tables = sets.map { set in
            Dictionary(set.items.map { ($0.name, $0) }) { first, _ in first }
        }
        let all = Set(tables.flatMap(\.keys))
        let common = all.filter { name in tables.allSatisfy { $0[name] != nil } }.sorted()
        guard !common.isEmpty else {
            throw ListeningTestError.options(
                "no sound has the same name in \(sets.map(\.path).joined(separator: ", ")): each system needs one of each name"
            )
        }
        var notes: [String] = []
        if common.count < all.count {
            let missing = all.subtracting(common).sorted()
            notes.append(
                "\(missing.count) sound(s) are not in all folders and are left out, such as \(missing[0])")
        }
        self.notes = notes
        self.systems = names
        hasReference = reference != nil
        items = common.map { name in
            let found = tables.compactMap { $0[name] }
            return Item(
                name: name, prompt: prompts[name] ?? found.compactMap(\.prompt).first,
                paths: found.prefix(systems.count).map(\.path), reference: reference == nil ? nil : found.last?.path)
        }
    }

    func conditions(_ options: ListeningTestOptions) -> [Condition] {
        var conditions = systems.map { Condition(name: $0, kind: .system) }
        if hasReference { conditions.append(Condition(name: "reference", kind: .reference)) }
        if options.hasAnchors {
            conditions.append(Condition(name: "anchor 3.5 kHz", kind: .lowAnchor))
            conditions.append(Condition(name: "anchor 7 kHz", kind: .middleAnchor))
        }
        return conditions
    }

    /// The recording, or else the first system's sound.
    func best(_ item: Int) -> String { items[item].reference ?? items[item].paths[0] }

    func source(_ item: Int, _ condition: Condition) -> ClipSource {
        if let cutoff = condition.kind.cutoff { return .lowPassed(best(item), cutoff: cutoff) }
        if condition.kind == .reference { return .file(best(item)) }
        return .file(items[item].paths[systems.firstIndex(of: condition.name) ?? 0])
    }
}
