import Audio
import Evaluation
import Files
import FoundationEssentials
import Glibc
import Text

/// A listening test as a folder that any browser opens from disk.
public struct ListeningTest: Sendable {
    /// What was made.
    public struct Summary: Sendable, Encodable {
        /// The folder that raters get.
        public let folder: String
        /// Who keeps this knows which clip is what: it does not belong to raters.
        public let keyFile: String
        /// What is compared.
        public let conditions: [Condition]
        /// How many items each condition has.
        public let items: Int
        /// How many sound files there are in the folder.
        public let clips: Int
        /// What a rater hears, practice and checks included.
        public let trialsPerRater: Int
        /// Loudness of every clip, in LUFS.
        public let loudness: Double
        /// What to know of the test, one phrase each: silent clips, a lower loudness.
        public let notes: [String]
    }

    /// How the test is to be.
    public let options: ListeningTestOptions
    /// A test that is not made yet.
    public init(_ options: ListeningTestOptions) { self.options = options }

    /// How near to full scale a clip may come, in dB.
    private static let peakLimit = -1.0

    /// Makes the folder, and beside it the key that results are read with.
    /// - Parameters:
    ///   - systems: folders or manifests, and what the systems are called in results.
    ///   - prompts: by sounds' names, where no manifest has them.
    ///   - output: must not exist yet.
    ///   - progress: how many of the clips are done. What it throws ends the work, and nothing is left.
    /// - Throws: `ListeningTestError`, and errors that name a sound file.
    public func make(
        systems: [(name: String, set: SoundSet)], reference: SoundSet?, prompts: [String: String] = [:],
        output: String, progress: (_ done: Int, _ of: Int) throws -> Void = { _, _ in }
    ) throws -> Summary {
        try options.validate()
        let folder = Self.trimmed(output)
        let keyFile = folder + ".key.json"
        for path in [folder, keyFile] where FileName.exists(path) {
            throw ListeningTestError.file(path: path, reason: "is there already; choose another --output")
        }
        let sounds = try TestSounds(systems: systems, reference: reference, prompts: prompts)
        try check(sounds)
        let design = try TestDesign(sounds, options)
        let partial = folder + ".partial"
        do {
            try? FileManager.default.removeItem(atPath: partial)
            try FileName.makeFolder(partial + "/clips")
            let (loudness, notes) = try write(design, to: partial + "/clips", progress)
            let key = key(design, loudness: loudness)
            try writePage(design, key, to: partial)
            try Self.write(try Self.json(key), to: keyFile)
            try FileManager.default.moveItem(atPath: partial, toPath: folder)
            return Summary(
                folder: folder, keyFile: keyFile, conditions: design.conditions, items: sounds.items.count,
                clips: design.plan.clips.count,
                trialsPerRater: (design.orders.first ?? []).reduce(design.headphones.count) { $0 + $1.trials.count },
                loudness: loudness, notes: sounds.notes + design.notes + notes)
        } catch {
            try? FileManager.default.removeItem(atPath: partial)
            if !FileName.exists(folder) { try? FileManager.default.removeItem(atPath: keyFile) }
            if let error = error as? FileError {
                throw ListeningTestError.file(path: output, reason: "cannot be made: \(error.reason.lowercased())")
            }
            throw error
        }
    }

    private static func trimmed(_ path: String) -> String {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        return path
    }

    private func check(_ sounds: TestSounds) throws {
        if options.questions.contains(.rel), let item = sounds.items.first(where: { $0.prompt == nil }) {
            throw ListeningTestError.options(
                "the text of \(item.name) is not known, which REL asks about: give --prompts, folders with a batch's manifest.jsonl, "
                    + "or leave REL out")
        }
        if options.questions == [.mushra], !sounds.hasReference {
            throw ListeningTestError.options("MUSHRA compares with a reference: give --reference")
        }
    }

    private func key(_ design: TestDesign, loudness: Double) -> ListeningTestKey {
        // FNV-1a of what the test is of: answers of another one do not pass for answers of this.
        let sources = design.plan.sources.map { "\($0.key) \($0.value)" }.sorted().joined()
        let hash = sources.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return ListeningTestKey(
            test: String(hash & 0xFFFF_FFFF, radix: 16), title: options.title, questions: options.questions,
            conditions: design.conditions, clips: design.plan.clips, loudness: loudness,
            headphonesNeeded: design.headphones.isEmpty ? 0 : CheckClips.headphonesNeeded,
            orders: design.orders.count, seed: options.seed)
    }

    // MARK: Clips

    /// All at one loudness: as asked for, or the most that none of them needs more than full scale for.
    private func write(
        _ design: TestDesign, to folder: String, _ progress: (Int, Int) throws -> Void
    ) throws -> (loudness: Double, notes: [String]) {
        // By name: neither times nor order of files tell what they are.
        let clips = design.plan.sources.sorted { $0.key < $1.key }
        let total = 2 * clips.count
        var loudness: [Double?] = []
        var target = options.loudness
        var silent = 0
        for (place, (_, source)) in clips.enumerated() {
            try progress(place, total)
            let sound = try source.sound(seed: options.seed)
            let level = Loudness.integrated(sound)
            loudness.append(level)
            guard !source.keepsLevel else { continue }
            guard let level else {
                silent += 1
                continue
            }
            let peak = 20 * log10(Double(sound.samples.reduce(0) { max($0, abs($1)) }))
            target = min(target, level + Self.peakLimit - peak)
        }
        for (place, (name, source)) in clips.enumerated() {
            try progress(clips.count + place, total)
            var sound = try source.sound(seed: options.seed)
            if !source.keepsLevel, let level = loudness[place] {
                let gain = Float(pow(10, (target - level) / 20))
                for index in sound.samples.indices { sound.samples[index] *= gain }
            }
            try SoundFile.write(sound, to: folder + "/" + name + ".wav")
        }
        try progress(total, total)
        var notes: [String] = []
        if silent > 0 { notes.append("\(silent) clip(s) are silent") }
        if target < options.loudness {
            notes.append(
                String(
                    printf: "all clips are at %.1f LUFS, not %.1f: one would exceed full scale", target,
                    options.loudness))
        }
        return (target, notes)
    }

    // MARK: Page

    private struct Page: Encodable {
        let id: String
        let title: String
        let welcome: [String]
        let instructions: [String]
        let headphoneTexts: [String]
        let headphones: [String]
        let thanks: [String]
        let questions: [PageQuestion]
        let orders: [[TestDesign.Block]]
    }

    private func writePage(_ design: TestDesign, _ key: ListeningTestKey, to folder: String) throws {
        let page = Page(
            id: key.test, title: options.title, welcome: PageTexts.welcome,
            instructions: PageTexts.instructions(options), headphoneTexts: PageTexts.headphones,
            headphones: design.headphones, thanks: PageTexts.thanks,
            questions: options.questions.map { PageQuestion($0, kind: options.kind) }, orders: design.orders)
        let script = "window.LISTENING_TEST = " + String(decoding: try Self.json(page), as: UTF8.self) + ";\n"
        for (name, bytes) in [
            ("index.html", PackageResources.page_html), ("page.css", PackageResources.page_css),
            ("page.js", PackageResources.page_js), ("test.js", Array(script.utf8)),
        ] {
            try Self.write(bytes, to: folder + "/" + name)
        }
    }

    private static func json(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(value))
    }

    private static func write(_ bytes: [UInt8], to path: String) throws {
        let file = try AtomicFile(path: path)
        try bytes.withUnsafeBytes { try file.write($0, at: 0) }
        try file.commit()
    }
}
