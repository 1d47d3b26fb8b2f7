import ArgumentParser
import AudioLDM2
import AudioLDM2Diagnostics
import CommandOptions
import Terminal

struct TraceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace",
        abstract: "Run single components on given tensors, to compare them with code that you trust.",
        discussion: """
            Runs every component that the input file has a tensor for, passes over other \
            tensors, and writes what they make, in float32. Tensors have PyTorch's order of axes; masks are 1 for \
            tokens and 0 for padding, and may be left out.

              unet.eps         of unet.input [B, C, T, F], unet.t [B],
                               unet.context0/1 [B, n, d], unet.mask0/1 [B, n];
                               AudioLDM 1's also of unet.film [B, d]
              vae.mel          of vae.latent [B, C, T, F], which is divided by the
                               scaling factor
              vocoder.waveform of vocoder.mel [B, mels, T]
              magnitudes.correction
                               of magnitudes.mel [B, mels, T]
              t5.hidden        of t5.ids, t5.mask [B, n]
              phoneme.hidden   of phoneme.ids, phoneme.mask [B, n] (speech)
              clap.text        of clap.text.ids, clap.text.mask [B, n]
              loa.output       of loa.input [B, n, d], the projected sequence,
                               and loa.mask [B, n]
              mel.logmel       of mel.wave [B, n], at the model's sample rate
              vae.enc.mean, vae.enc.logvar
                               of vae.enc.mel [B, 1, T, F]
              clap.audio, clap.audio.logmel
                               of clap.audio.wave [B, n], 48 kHz
              audiomae.loa, audiomae.fbank
                               of audiomae.wave [B, n], 16 kHz

            EXAMPLE
              audioldm2 trace base.aldm --inputs in.safetensors --output out.safetensors
            """)

    @OptionGroup var model: ModelArgument

    @Option(help: "A safetensors file with the tensors to run.", completion: .tensors, transform: plainText)
    var inputs: String

    @Option(help: "Where to write what they make, as safetensors.", completion: .tensors, transform: plainText)
    var output: String

    @OptionGroup var computing: ComputeOptions

    @Flag(name: [.short, .long], help: "Print nothing but errors.")
    var quiet = false

    func validate() throws {
        try requireDistinct(output: output, from: [try? model.path, inputs])
    }

    func run() async throws {
        let quiet = quiet
        let trace = try await ComponentTrace(modelAt: model.path, threads: computing.threads, device: computing.device)
        if !quiet, let warning = trace.deviceWarning { printWarning(warning) }
        try await trace.run(
            inputsAt: inputs, outputTo: output,
            onUnread: { names in
                guard !quiet else { return }
                let shown = names.prefix(8).joined(separator: ", ")
                printNote("note: no component reads \(shown)\(names.count > 8 ? " and \(names.count - 8) more" : "")")
            },
            onStage: { _, tensors in
                guard !quiet else { return }
                for tensor in tensors { print("\(tensor.name) \(tensor.shape)") }
            })
    }
}
