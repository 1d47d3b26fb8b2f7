import AudioLDM2

extension PipelineBenchmark {
    /// What one run of the pipeline costs on this machine.
    public struct Report: Sendable, Codable {
        /// A kind of operation within the steps.
        public struct Operation: Sendable, Codable {
            /// What it is called in the code.
            public let name: String
            /// How often it was done.
            public let calls: Int
            /// Wall time of all calls.
            public let seconds: Double
            /// Multiply-accumulates per second, in billions; 0 for operations without products.
            public let gmacs: Double
        }

        /// Length of the sound.
        public let seconds: Double
        /// Steps of the denoiser, the first of which does not count.
        public let steps: Int
        /// Threads of the host.
        public let threads: Int
        /// What computes: "avx512vnni", "avx2", "cuda:0 (NVIDIA H100, sm_90)", …
        public let tier: String
        /// Both prompts through text encoders and language model, weights loaded.
        public let encodeSeconds: Double
        /// One guided step: median of all but the first.
        public let unetStepSeconds: Double
        /// Billions of multiply-accumulates in a guided step.
        public let unetStepGMAC: Double
        /// Latents to spectrogram, weights loaded.
        public let vaeSeconds: Double
        /// Spectrogram to waveform, weights loaded.
        public let vocoderSeconds: Double
        /// All components' weights, read, checked and decompressed; contained in the stages, but not in a step.
        public let loadSeconds: Double
        /// Billions of multiply-accumulates a second within a step.
        public let gmacs: Double
        /// Of the best instruction, measured on registers, times threads; nil if it cannot be measured.
        public let peakGmacs: Double?
        /// The most memory that the process held, pages of the model file among it.
        public let peakRSSBytes: Int
        /// While the steps were made: share of the device's time, or of the threads', in which something was computed.
        public let utilization: Double?
        /// Of all programs on a GPU, in bytes; nil on the CPU, or without NVML.
        public let deviceMemoryBytes: Int?
        /// What a GPU drew while the steps were made, in watts; nil on the CPU, or where the device does not tell.
        public let watts: Double?
        /// Operations of all steps but the first, the most expensive one first.
        public let operations: [Operation]
        /// How memory was used.
        public let memoryPlan: MemoryPlan

        enum CodingKeys: String, CodingKey {
            case seconds, steps, threads, tier, gmacs, utilization, watts, operations
            case encodeSeconds = "encode_seconds"
            case unetStepSeconds = "unet_step_seconds"
            case unetStepGMAC = "unet_step_gmac"
            case vaeSeconds = "vae_seconds"
            case vocoderSeconds = "vocoder_seconds"
            case loadSeconds = "load_seconds"
            case peakGmacs = "peak_gmacs"
            case peakRSSBytes = "peak_rss_bytes"
            case deviceMemoryBytes = "device_memory_bytes"
            case memoryPlan = "memory_plan"
        }
    }
}
