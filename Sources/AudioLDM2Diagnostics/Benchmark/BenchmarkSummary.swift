import AudioLDM2
import FoundationEssentials
import Glibc

extension PipelineBenchmark {
    /// What several runs of the pipeline cost: means, and how far the runs lie apart.
    public struct Summary: Sendable, Encodable {
        /// One cost.
        public struct Measure: Sendable, Encodable {
            /// As in `Report`'s JSON: "unet_step_seconds".
            public let name: String
            /// "s", "GMAC/s", "bytes" or "".
            public let unit: String
            /// One for each run.
            public let samples: [Double]
            /// Of the samples.
            public let mean: Double
            /// Standard deviation of the runs (of a sample, by n − 1); nil of one run.
            public let deviation: Double?

            init(_ name: String, _ unit: String, _ samples: [Double]) {
                self.name = name
                self.unit = unit
                self.samples = samples
                let mean = samples.reduce(0, +) / Double(samples.count)
                self.mean = mean
                let squares = samples.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
                deviation = samples.count > 1 ? (squares / Double(samples.count - 1)).squareRoot() : nil
            }
        }

        /// The model file's name.
        public let model: String
        /// What computes.
        public let tier: String
        /// Threads of the host.
        public let threads: Int
        /// Length of the sound.
        public let seconds: Double
        /// Steps of the denoiser, the first of which does not count.
        public let steps: Int
        /// How often the pipeline ran.
        public let repetitions: Int
        /// What was measured in every run.
        public let measures: [Measure]

        /// - Parameters:
        ///   - model: the file's name.
        ///   - reports: of the same work, at least one.
        public init?(of model: String, _ reports: [Report]) {
            guard let first = reports.first else { return nil }
            self.model = model
            (tier, threads, seconds, steps) = (first.tier, first.threads, first.seconds, first.steps)
            repetitions = reports.count
            let all: [(String, String, (Report) -> Double?)] = [
                ("encode_seconds", "s", { $0.encodeSeconds }), ("unet_step_seconds", "s", { $0.unetStepSeconds }),
                ("vae_seconds", "s", { $0.vaeSeconds }), ("vocoder_seconds", "s", { $0.vocoderSeconds }),
                ("load_seconds", "s", { $0.loadSeconds }), ("gmacs", "GMAC/s", { $0.gmacs }),
                ("peak_rss_bytes", "bytes", { Double($0.peakRSSBytes) }),
                ("device_memory_bytes", "bytes", { $0.deviceMemoryBytes.map(Double.init) }),
                ("utilization", "", { $0.utilization }), ("watts", "W", { $0.watts }),
            ]
            measures = all.compactMap { name, unit, value in
                let samples = reports.compactMap(value)
                return samples.count == reports.count ? Measure(name, unit, samples) : nil
            }
        }
    }
}
