import ArgumentParser
import CMappings
import Dispatch
import Files
import Glibc
import Platform
import Tensors

/// What every command does before and after its own work.
///
/// A command that starts has its standard streams, a few files to open, threads and memory; one that cannot have them says
/// so and ends, where Dispatch would wait for ever or stop the program.
package struct CommandProgram<Root: AsyncParsableCommand> {
    private let root: Root.Type
    private let leastMemory: Int
    /// A limit from which on it does not matter what the allocator keeps, in bytes.
    private static var roomy: Int { 2 << 30 }

    /// - Parameter leastMemory: below which a limit of the system's allows no work, in bytes.
    package init(_ root: Root.Type, leastMemory: Int) { (self.root, self.leastMemory) = (root, leastMemory) }

    /// Not async itself: without memory for a thread's stack, that would wait for ever for the thread.
    package func run() -> Never {
        openStandardStreams()
        // A reader that has gone, and a limit of file sizes, are errors of the write that finds them so.
        for number in [SIGPIPE, SIGXFSZ] { signal(number, SIG_IGN) }
        cmappings_end_with_message()
        limitStacks()
        if let limit = MemoryLimit.current, limit.bytes < Self.roomy { keepAllocatorLean() }
        if let want = Want.first(leastMemory: leastMemory) {
            printNote("Error: \(want)")
            exit(EXIT_FAILURE)
        }
        Task {
            await runCommand()
            do {
                try finishOutput()
                exit(EXIT_SUCCESS)
            } catch {
                end(error)
            }
        }
        dispatchMain()
    }

    /// What ArgumentParser's own `main` does, but for two messages that would show the usage of all commands together: the
    /// name of none, and options that turn out not to go together when the command is at work.
    private func runCommand() async {
        let (name, subcommands) = (root.configuration.commandName ?? "", root.configuration.subcommands)
        let arguments = Array(Self.arguments.dropFirst())
        if let word = arguments.first, !subcommands.isEmpty, !word.hasPrefix("-"), word != "help",
            !subcommands.contains(where: { $0.configuration.commandName == word })
        {
            refuse("there is no command '\(word)'", help: "\(name) --help")
        }
        do {
            var command = try root.parseAsRoot(DashedText.marked(arguments, flags: CommandFlags.names(of: root)))
            do {
                if var command = command as? any AsyncParsableCommand {
                    try await command.run()
                } else {
                    try command.run()
                }
            } catch let error as ValidationError {
                let own = type(of: command).configuration.commandName.flatMap { $0 == name ? nil : $0 }
                refuse(error.message, help: [name, own, "--help"].compactMap(\.self).joined(separator: " "))
            }
        } catch {
            end(error)
        }
    }

    /// Says why, and ends. What ArgumentParser prints itself, help and versions, holds no names of files.
    private func end(_ error: any Error) -> Never {
        let code = root.exitCode(for: error)
        let message = root.fullMessage(for: error)
        if code == .success {
            if !message.isEmpty { print(message) }
            do {
                try finishOutput()
                exit(EXIT_SUCCESS)
            } catch {
                exit(EXIT_FAILURE)
            }
        }
        if !message.isEmpty { printNote(message) }
        exit(code.rawValue)
    }

    /// As they were given: `CommandLine.arguments` mends what is not UTF-8, and is empty without /proc.
    private static var arguments: [String] {
        (0..<cmappings_argument_count()).compactMap { index in
            cmappings_argument(index).map { FileName.text(UnsafeRawBufferPointer(start: $0, count: strlen($0))) }
        }
    }

    private func refuse(_ message: String, help: String) -> Never {
        printNote("Error: \(message)\nSee '\(help)' for more information.")
        exit(ExitCode.validationFailure.rawValue)
    }

    /// Under a limit what the allocator keeps counts too: one pool for all threads, and what is large goes back at once.
    private func keepAllocatorLean() {
        // GNU's numbers of options, which Swift's module of the C library leaves out.
        let (trimThreshold, mappingThreshold, mostPools): (Int32, Int32, Int32) = (-1, -3, -8)
        typealias SetOption = @convention(c) (Int32, Int32) -> Int32
        guard let symbol = dlsym(nil, "mallopt") else { return }
        for (option, value) in [(trimThreshold, 1 << 17), (mappingThreshold, 1 << 17), (mostPools, 1)]
            as [(Int32, Int32)]
        {
            _ = unsafeBitCast(symbol, to: SetOption.self)(option, value)
        }
    }

    /// Threads that nobody gave a size get 1 MiB of stack, not the system's 8: under a limit all of it counts.
    private func limitStacks() {
        // A GNU extension, which Swift's module of the C library leaves out.
        typealias SetDefault = @convention(c) (UnsafePointer<pthread_attr_t>) -> Int32
        var attributes = pthread_attr_t()
        guard let symbol = dlsym(nil, "pthread_setattr_default_np"), pthread_attr_init(&attributes) == 0 else { return }
        defer { pthread_attr_destroy(&attributes) }
        guard pthread_attr_setstacksize(&attributes, 1 << 20) == 0 else { return }
        _ = unsafeBitCast(symbol, to: SetDefault.self)(&attributes)
    }
}

/// What a command lacks to start.
private enum Want: CustomStringConvertible {
    case memory(MemoryLimit, least: Int)
    case files(code: Int32)
    case threads(ThreadError)

    /// Descriptors that Dispatch, a model, an output and their folders take at one time.
    private static let files = 16

    static func first(leastMemory: Int) -> Want? {
        if let limit = MemoryLimit.current, limit.bytes < leastMemory {
            return .memory(limit, least: leastMemory)
        }
        var opened: [Int32] = []
        defer { for descriptor in opened { close(descriptor) } }
        while opened.count < files {
            let descriptor = open("/", O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { return .files(code: errno) }
            opened.append(descriptor)
        }
        return ThreadReserve().refusal.map(Want.threads)
    }

    var description: String {
        switch self {
        case .memory(let limit, let least):
            "this process may take \(mebibytes(limit.bytes)) of memory (\(limit.source)); "
                + "\(mebibytes(least)) is the least for any work"
        case .files(let code):
            "files cannot be opened: \(String(cString: strerror(code)).lowercased()); \(Self.files) at a time beside the "
                + "standard streams are the least (ulimit -n 24)"
        case .threads(let error): "\(error)"
        }
    }

    private func mebibytes(_ bytes: Int) -> String { "\((bytes + (1 << 20) - 1) >> 20)M" }
}
