import Audio

/// All figures that a judge and two sets allow.
public struct Evaluator: Sendable {
    /// Who heard the sounds.
    public let judge: any Judge
    /// The rules that both sets were heard under.
    public let rules: EvaluationProtocol
    /// Random draws for each figure's precision; 0 for none.
    public var draws = 200
    /// Seed of all random draws, as NumPy's `RandomState` takes it.
    public var seed: UInt32 = 2020

    /// Halves that a distance between sets is computed for; of wide embeddings each takes seconds.
    private func halves(width: Int) -> Int { min(draws, width > 512 ? 10 : 50) }
    /// Embeddings of both sets beyond which KAD, whose work grows with their square, is computed once.
    private static let mostForKernelError = 10_000

    /// An evaluator for sets that this judge heard under these rules.
    public init(_ judge: any Judge, _ rules: EvaluationProtocol) { (self.judge, self.rules) = (judge, rules) }

    /// - Parameters:
    ///   - progress: what is being computed.
    /// - Throws: `EvaluationError`; what `progress` throws.
    public func report(
        generated: HeardSet, reference: HeardSet?, progress: (String) throws -> Void = { _ in }
    ) throws -> EvaluationReport {
        var report = EvaluationReport(
            judge: judge.identity, protocolName: rules.name, preparation: rules.summary,
            generated: Self.summary(generated), reference: reference.map(Self.summary))
        report.files = generated.sounds.map { .init(file: $0.item.path) }
        warn(of: generated, &report)
        if let reference {
            warn(of: reference, &report)
            try addDistances(generated, reference, &report, progress)
            try addPairs(generated, reference, &report, progress)
        }
        try addInceptionScore(generated, &report)
        try progress(EvaluationReport.Metric.clapScore.title)
        try addCLAPScores(generated, &report)
        guard !report.figures.isEmpty else {
            throw EvaluationError.set(
                "there is nothing to say of \(generated.path)"
                    + (reference.map { " beside \($0.path): " + report.warnings.joined(separator: "; ") }
                        ?? ": give a --reference, prompts (a batch's manifest) for a judge with texts, or a judge that names "
                        + "classes"))
        }
        return report
    }

    private static func summary(_ set: HeardSet) -> EvaluationReport.Set {
        .init(
            path: set.path, files: set.fileCount, embeddings: set.statistics.count, damaged: set.damaged,
            silent: set.silent)
    }

    private func warn(of set: HeardSet, _ report: inout EvaluationReport) {
        if !set.damaged.isEmpty {
            report.warnings.append("\(set.path): \(set.damaged.count) file(s) could not be used and are left out")
        }
        if !set.silent.isEmpty {
            report.warnings.append(
                "\(set.path): \(set.silent.count) silent file(s), such as \(set.silent[0]); they count as sounds")
        }
    }

    // MARK: Distances between sets

    private func addDistances(
        _ generated: HeardSet, _ reference: HeardSet, _ report: inout EvaluationReport,
        _ progress: (String) throws -> Void
    ) throws {
        try progress(EvaluationReport.Metric.frechetDistance.title)
        for set in [generated, reference] where set.statistics.count < 2 {
            report.warnings.append(
                "\(set.path): one embedding has no covariance; distances between sets need two and more, better thousands"
            )
            return
        }
        let base = try GaussianFactor(reference.statistics)
        let own = try GaussianFactor(generated.statistics)
        for (factor, set) in [(own, generated), (base, reference)] where factor.isRankDeficient {
            report.warnings.append(
                "\(set.path): the covariance of \(factor.count) embeddings has rank \(factor.rank) of \(factor.width): its Fréchet "
                    + "distance depends strongly on their number; compare only sets of the same size")
        }
        var figure = EvaluationReport.Figure(
            .frechetDistance, try FrechetDistance(own, base).value, count: own.count, of: "embeddings")
        figure.standardError = try error(of: generated) { try FrechetDistance(GaussianFactor($0), base).value }
        report.figures.append(figure)
        for (place, sound) in generated.sounds.enumerated() where sound.embeddings.rowCount > 1 {
            report.files[place].frechetDistance = try FrechetDistance(GaussianFactor(sound.embeddings), base).value
        }
        guard let x = try generated.embeddings else { return }
        try addInfinity(x, base, &report, progress)
        guard let y = try reference.embeddings else {
            report.warnings.append("\(reference.path): statistics hold no embeddings, so there is no KID and no KAD")
            return
        }
        try progress(EvaluationReport.Metric.kernelInceptionDistance.title)
        let kid = try KernelInceptionDistance(x, y)
        figure = .init(.kernelInceptionDistance, kid.mean, count: x.rowCount, of: "embeddings")
        figure.deviation = kid.deviation
        figure.note = "parts of \(kid.subsetSize)"
        report.figures.append(figure)
        try progress(EvaluationReport.Metric.kernelAudioDistance.title)
        let kad = try KernelAudioDistance(reference: y, evaluated: x)
        figure = .init(.kernelAudioDistance, kad.value, count: x.rowCount, of: "embeddings")
        if x.rowCount + y.rowCount <= Self.mostForKernelError {
            figure.standardError = try error(of: generated) {
                try KernelAudioDistance(reference: y, evaluated: $0, bandwidth: kad.bandwidth).value
            }
        }
        report.figures.append(figure)
    }

    private func addInfinity(
        _ x: Embeddings, _ base: GaussianFactor, _ report: inout EvaluationReport,
        _ progress: (String) throws -> Void
    ) throws {
        // Smaller sets than fadtk's smallest part have no line.
        guard x.rowCount > 500 else { return }
        try progress(EvaluationReport.Metric.frechetAtInfinity.title)
        let line = try FrechetAtInfinity(x, reference: base, seed: seed)
        var figure = EvaluationReport.Figure(.frechetAtInfinity, line.value, count: x.rowCount, of: "embeddings")
        (figure.slope, figure.rSquared, figure.points) = (line.slope, line.rSquared, line.points)
        report.figures.append(figure)
    }

    /// The standard error of a distance, by halves of the generated sounds.
    private func error(of set: HeardSet, _ distance: (Embeddings) throws -> Double) throws -> Double? {
        try Bootstrap.standardErrorByHalves(
            of: set.sounds.count, draws: halves(width: set.statistics.width), seed: seed
        ) { places in
            guard let part = try HeardSet.join(places.map { set.sounds[$0].embeddings }), part.rowCount > 1 else {
                throw EvaluationError.tooFew("half of the sounds have fewer than two embeddings")
            }
            return try distance(part)
        }
    }

    // MARK: Pairs

    private func addPairs(
        _ generated: HeardSet, _ reference: HeardSet, _ report: inout EvaluationReport,
        _ progress: (String) throws -> Void
    ) throws {
        guard !generated.sounds.isEmpty, !reference.sounds.isEmpty else { return }
        let pairs = SoundPairs(generated.sounds.map(\.item.name), reference.sounds.map(\.item.name))
        guard !pairs.pairs.isEmpty, pairs.share > rules.leastPaired || pairs.unpaired.isEmpty else {
            report.warnings.append(
                "\(pairs.pairs.count) of \(max(generated.sounds.count, reference.sounds.count)) sounds have a partner of the same name"
                    + (pairs.unpaired.first.map { " (\($0) has none)" } ?? "")
                    + ": no KL divergence and no log-spectral distance"
                    + (rules.leastPaired > 0 ? " (\(rules.name.rawValue) wants over 99 %)" : ""))
            return
        }
        if !pairs.unpaired.isEmpty {
            report.warnings.append(
                "\(pairs.unpaired.count) sound(s) have no partner of the same name, such as \(pairs.unpaired[0]); "
                    + "KL divergence and log-spectral distance leave them out")
        }
        try addDivergences(generated, reference, pairs, &report)
        try progress(EvaluationReport.Metric.logSpectralDistance.title)
        try addLogSpectralDistances(generated, reference, pairs, &report, progress)
    }

    private func addDivergences(
        _ generated: HeardSet, _ reference: HeardSet, _ pairs: SoundPairs, _ report: inout EvaluationReport
    ) throws {
        for (metric, activation) in [(EvaluationReport.Metric.klSoftmax, Activation.softmax), (.klSigmoid, .sigmoid)] {
            var values: [Double] = []
            for (first, second) in pairs.pairs {
                guard let q = generated.sounds[first].logits, let p = reference.sounds[second].logits else { return }
                // Of as many windows as both have.
                let windows = 0..<min(p.rowCount, q.rowCount)
                let divergence = try KullbackLeibler(
                    target: p.rows(windows), other: q.rows(windows), by: activation, epsilon: rules.divergenceEpsilon)
                values += divergence.values
                if activation == .softmax { report.files[first].klSoftmax = divergence.mean }
            }
            report.figures.append(mean(metric, values, of: "pairs"))
        }
    }

    private func addLogSpectralDistances(
        _ generated: HeardSet, _ reference: HeardSet, _ pairs: SoundPairs, _ report: inout EvaluationReport,
        _ progress: (String) throws -> Void
    ) throws {
        let rate = judge.sampleRate
        let distance = LogSpectralDistance(sampleRate: rate)
        let isPackage = rules.name == .audioldmEval || rules.name == .audioldm2
        let pictures = isPackage ? PictureSimilarity(sampleRate: rate) : nil
        var (plain, packaged, similar): ([Double], [Double], [PictureSimilarity.Pair]) = ([], [], [])
        for (place, (first, second)) in pairs.pairs.enumerated() {
            try progress("\(EvaluationReport.Metric.logSpectralDistance.title) \(place + 1)/\(pairs.pairs.count)")
            let x = try rules.read(generated.sounds[first].item.path, sampleRate: rate).samples
            let y = try rules.read(reference.sounds[second].item.path, sampleRate: rate).samples
            let value = try distance(estimate: x, target: y)
            plain.append(value)
            report.files[first].logSpectralDistance = value
            if isPackage, let value = try Self.asAudioldmEval(x, y, distance) { packaged.append(value) }
            if let pictures { similar.append(pictures(x, y)) }
        }
        var figure = mean(.logSpectralDistance, plain, of: "pairs")
        figure.note = "at \(rate) Hz"
        report.figures.append(figure)
        addSimilarities(similar, &report)
        guard isPackage, !packaged.isEmpty else { return }
        figure = mean(.logSpectralDistanceAudioldmEval, packaged, of: "pairs")
        figure.note = "at \(rate) Hz, both to a peak of 1, without the generated sound's first 1120 samples"
        report.figures.append(figure)
    }

    /// As the package, without pairs that are the same.
    private func addSimilarities(_ pairs: [PictureSimilarity.Pair], _ report: inout EvaluationReport) {
        let different = pairs.filter(\.psnr.isFinite)
        guard !different.isEmpty else { return }
        report.figures.append(mean(.signalToNoise, different.map(\.psnr), of: "pairs"))
        let structures = different.compactMap(\.ssim)
        if !structures.isEmpty { report.figures.append(mean(.structuralSimilarity, structures, of: "pairs")) }
    }

    /// The package leaves out seven frames that HiFi-GAN is late by, and brings both to the same peak.
    private static func asAudioldmEval(
        _ estimate: [Float], _ target: [Float], _ distance: LogSpectralDistance
    ) throws -> Double? {
        func normalized(_ samples: [Float]) -> [Float] {
            let mean = Float(samples.reduce(0.0) { $0 + Double($1) } / Double(max(samples.count, 1)))
            let centred = samples.map { $0 - mean }
            let peak = centred.reduce(0) { max($0, abs($1)) }
            return peak > 0 ? centred.map { $0 / peak } : []
        }
        let (x, y) = (normalized(Array(estimate.dropFirst(1120))), normalized(target))
        return x.isEmpty || y.isEmpty ? nil : try distance(estimate: x, target: y)
    }

    // MARK: One set

    private func addInceptionScore(_ generated: HeardSet, _ report: inout EvaluationReport) throws {
        guard let logits = try HeardSet.join(generated.sounds.compactMap(\.logits)) else { return }
        guard logits.rowCount >= 10 else {
            report.warnings.append("\(generated.path): the inception score takes 10 sounds or more")
            return
        }
        let score = try InceptionScore(logits)
        var figure = EvaluationReport.Figure(.inceptionScore, score.mean, count: logits.rowCount, of: "sounds")
        figure.deviation = score.deviation
        report.figures.append(figure)
    }

    private func addCLAPScores(_ generated: HeardSet, _ report: inout EvaluationReport) throws {
        guard let judge = judge as? any TextJudge else {
            if let refusal = judge.textRefusal {
                report.warnings.append("\(judge.identity.name): no CLAP score, because \(refusal)")
            }
            return
        }
        let places = generated.sounds.indices.filter { generated.sounds[$0].item.prompt != nil }
        guard !places.isEmpty else {
            report.warnings.append(
                "\(generated.path): no prompts are known, so there is no CLAP score: give a batch's manifest.jsonl or its folder"
            )
            return
        }
        let prompts = places.map { generated.sounds[$0].item.prompt ?? "" }
        // Each text is heard once.
        let texts = Array(Set(prompts)).sorted()
        let rows = Dictionary(uniqueKeysWithValues: texts.enumerated().map { ($1, $0) })
        let embedded = try judge.embeddings(ofTexts: texts + [""])
        let wanted = embedded.rows(prompts.compactMap { rows[$0] })
        let sounds = try HeardSet.join(
            places.map { try Embeddings(width: judge.width, values: generated.sounds[$0].embeddings.mean()) })
        guard let sounds else { return }
        let score = try CLAPScore(sounds: sounds, texts: wanted)
        for (place, value) in zip(places, score.values) { report.files[place].clapScore = value }
        report.figures.append(mean(.clapScore, score.values, of: "sounds"))
        let paper = try CLAPScore(asInPaper: sounds, texts: wanted, emptyText: embedded.rows([texts.count]))
        var figure = mean(.clapScoreAsInPaper, paper.values, of: "sounds")
        figure.note =
            "its encoder drops a tenth of all texts and sounds at random; for comparison with its tables alone"
        report.figures.append(figure)
    }

    private func mean(_ metric: EvaluationReport.Metric, _ values: [Double], of counted: String)
        -> EvaluationReport.Figure
    {
        var figure = EvaluationReport.Figure(
            metric, values.reduce(0, +) / Double(max(values.count, 1)), count: values.count, of: counted)
        figure.interval = draws > 0 ? Bootstrap.interval(ofMean: values, draws: max(draws, 2), seed: seed) : nil
        return figure
    }
}
