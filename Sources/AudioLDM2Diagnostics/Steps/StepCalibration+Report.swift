extension StepCalibration {
    /// What ways from noise to latents cost in nearness to the solution.
    public struct Report: Codable, Sendable, Hashable {
        /// One way.
        public struct Row: Codable, Sendable, Hashable {
            /// What it is, in words.
            public let name: String
            /// Evaluations of the denoiser.
            public let steps: Int
            /// Of these, whole ones.
            public let whole: Int
            /// Distance of each sound's latents from the solution, as a share of the solution's deviation.
            public let latents: [Double]
            /// The same of log-mel spectrograms.
            public let mel: [Double]

            /// Mean of `latents`.
            public var latentsError: Double { latents.reduce(0, +) / Double(max(latents.count, 1)) }
            /// Mean of `mel`.
            public var melError: Double { mel.reduce(0, +) / Double(max(mel.count, 1)) }
        }

        /// Which steps are whole.
        public struct Policy: Codable, Sendable, Hashable {
            /// A letter for each: "w" for a whole one, "-" for one that spares work.
            public let steps: String
            /// What it costs.
            public let row: Row
        }

        /// The model file.
        public let model: String
        /// How many there were.
        public let prompts: Int
        /// Of each prompt.
        public let seeds: Int
        /// Steps that were taken for endless.
        public let endless: Int
        /// All that was measured, in order.
        public let rows: [Row]
        /// By ever fewer whole steps.
        public let policies: [Policy]
        /// What others are compared with: 25 steps of the reference's levels.
        public let line: Row

        /// The policy with the fewest whole steps whose sounds are no farther from the solution than those of `line`, in
        /// latents and in spectrograms; nil if none is.
        public let chosen: Policy?

        init(model: String, prompts: Int, seeds: Int, endless: Int, rows: [Row], policies: [Policy], line: Row) {
            self.model = model
            self.prompts = prompts
            self.seeds = seeds
            self.endless = endless
            self.rows = rows
            self.policies = policies
            self.line = line
            chosen = policies.filter {
                $0.row.latentsError <= line.latentsError && $0.row.melError <= line.melError
            }.min { $0.row.whole < $1.row.whole }
        }
    }
}
