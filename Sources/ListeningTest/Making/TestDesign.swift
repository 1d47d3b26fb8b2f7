import Evaluation

/// A test before its sounds are written: clips and orders.
struct TestDesign {
    struct PageTrial: Encodable, Hashable {
        var clip: String?
        var reference: String?
        var clips: [String]?
        var prompt: String?
        var training: Bool?
    }

    struct Block: Encodable {
        /// A number of the options' questions.
        let question: Int
        let trials: [PageTrial]
    }

    let conditions: [Condition]
    private(set) var plan: ClipPlan
    private(set) var orders: [[Block]] = []
    private(set) var headphones: [String] = []
    /// What should be known of it.
    private(set) var notes: [String] = []

    private let options: ListeningTestOptions
    private let sounds: TestSounds
    /// Numbers of the sounds' items that are rated, and those for practice.
    private let items: [Int]
    private let practice: [Int]
    private var random: NumPyRandom

    /// Under this number of items practice takes some that are rated too.
    private static let itemsPerPractice = 4

    init(_ sounds: TestSounds, _ options: ListeningTestOptions) throws {
        (self.sounds, self.options) = (sounds, options)
        plan = ClipPlan(seed: options.seed &* 2 &+ 1)
        random = NumPyRandom(seed: options.seed)
        conditions = sounds.conditions(options)
        let order = random.permutation(sounds.items.count)
        let isSpare = sounds.items.count >= Self.itemsPerPractice * options.training
        practice = (0..<options.training).map { order[$0 % order.count] }
        items = isSpare ? order.dropFirst(options.training).sorted() : Array(sounds.items.indices)
        if !isSpare, options.training > 0 {
            notes.append(
                "practice uses items that are rated too: \(sounds.items.count) items are too few to keep some for it")
        }
        if options.hasHeadphoneTest { addHeadphones() }
        options.questions == [.mushra] ? addComparisons() : addRatings()
    }

    private mutating func addHeadphones() {
        for _ in 0..<CheckClips.headphoneTrials {
            let order = random.permutation(3)
            let answer = Double(order[0] + 1)
            headphones.append(
                plan.add(
                    .headphones(quietest: order[0], opposed: order[1]),
                    Clip(role: .headphones, expected: answer...answer)))
        }
    }

    // MARK: One clip at a time

    private mutating func addRatings() {
        var names: [TrialOrder.Trial: String] = [:]
        for (place, item) in items.enumerated() {
            for condition in conditions.indices {
                names[.init(item: place, condition: condition)] = add(.test, item, condition)
            }
        }
        let blocks = options.questions.map { question in
            (
                practice: practiceTrials(question), traps: (0..<options.traps).map { _ in trap(question) },
                gold: (0..<options.gold).compactMap { gold($0, question) }
            )
        }
        // Whole blocks of raters, over which everything is heard equally often.
        let blockCount = (options.raters + conditions.count - 1) / conditions.count
        for rater in 0..<blockCount * conditions.count {
            orders.append(
                options.questions.enumerated().map { number, question in
                    let seed = options.seed &+ 1009 &* UInt32(number)
                    let order = TrialOrder(
                        items: items.count, conditions: conditions.count, rounds: options.rounds ?? conditions.count,
                        rater: rater, seed: seed)
                    let trials = order.trials.map { trial in
                        PageTrial(clip: names[trial], prompt: prompt(items[trial.item], question))
                    }
                    let checks = (blocks[number].traps + blocks[number].gold)
                    return Block(
                        question: number,
                        trials: blocks[number].practice + Self.spread(checks, over: trials, seed: seed &+ UInt32(rater))
                    )
                })
        }
    }

    /// Checks somewhere in each equal part of the trials, in an order of each rater's own.
    private static func spread(_ checks: [PageTrial], over trials: [PageTrial], seed: UInt32) -> [PageTrial] {
        guard !checks.isEmpty else { return trials }
        var random = NumPyRandom(seed: seed ^ 0x5EED)
        var result = trials
        let order = random.permutation(checks.count)
        for place in checks.indices.reversed() {
            let (low, high) = (place * trials.count / checks.count, (place + 1) * trials.count / checks.count)
            // Not the first trial.
            let at = max(low + Int(random.uniform() * Double(max(high - low, 1))), min(1, trials.count))
            result.insert(checks[order[place]], at: at)
        }
        return result
    }

    private func prompt(_ item: Int, _ question: Question) -> String? {
        question == .rel ? sounds.items[item].prompt : nil
    }

    private mutating func add(_ role: Clip.Role, _ item: Int, _ condition: Int) -> String {
        let clip = Clip(
            role: role, condition: condition, item: sounds.items[item].name, prompt: sounds.items[item].prompt)
        return plan.add(sounds.source(item, conditions[condition]), clip)
    }

    /// What is for practice spans the conditions.
    private mutating func practiceTrials(_ question: Question) -> [PageTrial] {
        var trials = practice.enumerated().map { place, item in
            let condition = place * max(conditions.count - 1, 1) / max(practice.count - 1, 1) % conditions.count
            return PageTrial(
                clip: add(.training, item, condition), prompt: prompt(item, question), training: true)
        }
        if options.traps > 0, options.training > 0 {
            var trial = trap(question, role: .training)
            trial.training = true
            trials.append(trial)
        }
        return trials
    }

    /// - Parameter role: a trap, or practice for one, whose answer does not count.
    private mutating func trap(_ question: Question, role: Clip.Role = .trap) -> PageTrial {
        let count = 2 + Int(random.uniform() * 3)
        let item = items[Int(random.uniform() * Double(items.count))]
        let prompt = prompt(item, question)
        let clip = Clip(role: role, prompt: prompt, expected: Double(count)...Double(count))
        return PageTrial(clip: plan.add(.beeps(count), clip), prompt: prompt)
    }

    /// By turns a sound that cannot be good and, where there are recordings, one that cannot be bad; for relevance a recording
    /// of something else.
    private mutating func gold(_ number: Int, _ question: Question) -> PageTrial? {
        let order = random.permutation(items.count)
        let item = items[order[0]]
        guard question != .rel else {
            // Another text, and not the same one under another name.
            guard
                let other = order.map({ items[$0] }).first(where: {
                    sounds.items[$0].prompt != sounds.items[item].prompt
                })
            else { return nil }
            let text = sounds.items[other].prompt
            let clip = Clip(role: .gold, item: sounds.items[item].name, prompt: text, expected: 1...3)
            return PageTrial(clip: plan.add(.file(sounds.best(item)), clip), prompt: text)
        }
        let isGood = number % 2 == 1 && sounds.hasReference
        let clip = Clip(role: .gold, item: sounds.items[item].name, expected: isGood ? 3...5 : 1...2)
        return PageTrial(clip: plan.add(isGood ? .file(sounds.best(item)) : .spoiled(sounds.best(item)), clip))
    }

    // MARK: All conditions at once

    private mutating func addComparisons() {
        func page(_ design: inout TestDesign, _ item: Int, _ role: Clip.Role) -> (reference: String, clips: [String]) {
            let clips = design.conditions.indices.map { design.add(role, item, $0) }
            let open = Clip(role: .openReference, item: design.sounds.items[item].name)
            return (design.plan.add(.file(design.sounds.best(item)), open), clips)
        }
        let training = practice.prefix(1).map { page(&self, $0, .training) }
        let pages = items.map { page(&self, $0, .test) }
        for rater in 0..<options.raters {
            var random = NumPyRandom(seed: options.seed &+ 31 &* UInt32(rater + 1))
            let practised = training.map { page in
                PageTrial(
                    reference: page.reference,
                    clips: random.permutation(page.clips.count).map { page.clips[$0] }, training: true)
            }
            let trials = random.permutation(pages.count).map { place in
                let page = pages[place]
                return PageTrial(
                    reference: page.reference, clips: random.permutation(page.clips.count).map { page.clips[$0] })
            }
            orders.append([Block(question: 0, trials: practised + trials)])
        }
    }
}
