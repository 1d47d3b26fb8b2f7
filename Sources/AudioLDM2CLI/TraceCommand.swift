import ArgumentParser
import AudioLDM2

struct TraceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace",
        abstract: "Run single components on given tensors, to compare them with code that you trust.",
        discussion: """
            Runs every component that the input file has a tensor for, and writes what they make, in float32. Tensors
            have PyTorch's order of axes; masks are 1 for tokens and 0 for padding, and may be left out.

              unet.input [B, C, T, F], unet.t [B], unet.context0/1 [B, n, d], unet.mask0/1 [B, n]  → unet.eps
              unet.film [B, d] (AudioLDM 1)
              vae.latent [B, C, T, F] (divided by the scaling factor inside)                       → vae.mel
              vocoder.mel [B, mels, T]                                                             → vocoder.waveform
              t5.ids, t5.mask [B, n]                                                               → t5.hidden
              phoneme.ids, phoneme.mask [B, n] (speech)                                            → phoneme.hidden
              clap.text.ids, clap.text.mask [B, n]                                                 → clap.text
              loa.input [B, n, d] (the projected sequence), loa.mask [B, n]                        → loa.output
              mel.wave [B, n] (at the model's sample rate)                                         → mel.logmel
              vae.enc.mel [B, 1, T, F]                                                             → vae.enc.mean,
                                                                                                     vae.enc.logvar
              clap.audio.wave [B, n] (48 kHz)                                                      → clap.audio.logmel,
                                                                                                     clap.audio
              audiomae.wave [B, n] (16 kHz)                                                        → audiomae.fbank,
                                                                                                     audiomae.loa

            EXAMPLE
              audioldm2 trace audioldm2.aldm --inputs in.safetensors --output out.safetensors
            """)

    @OptionGroup var model: ModelArgument

    @Option(help: "A safetensors file with the tensors to run.")
    var inputs: String

    @Option(help: "Where to write what they make, as safetensors.")
    var output: String

    @OptionGroup var computing: ComputeOptions

    @Flag(name: [.short, .long], help: "Print nothing but errors.")
    var quiet = false

    func run() throws {
        let trace = try ComponentTrace(modelAt: model.path, threads: computing.threads, device: computing.device)
        try trace.run(inputsAt: inputs, outputTo: output) { _, tensors in
            guard !quiet else { return }
            for tensor in tensors { print("\(tensor.name) \(tensor.shape)") }
        }
    }
}
