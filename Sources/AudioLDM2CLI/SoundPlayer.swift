import AudioLDM2
import Files
import FoundationEssentials
import Glibc

/// A program that plays sounds, as many machines have one.
struct SoundPlayer {
    /// What they are started with before the file's name; from what suits desktops of today to what is left.
    private static let known: [(name: String, arguments: [String])] = [
        ("pw-play", []), ("paplay", []), ("aplay", ["-q"]),
        ("ffplay", ["-nodisp", "-autoexit", "-loglevel", "error"]),
    ]

    private let path: String
    private let arguments: [String]

    /// The first that is found on PATH.
    /// - Throws: `AudioLDM2Error` of kind `.invalidOption` that names them all.
    init() throws {
        let folders = (getenv("PATH").map { String(cString: $0) } ?? "").split(separator: ":")
        for player in Self.known {
            for folder in folders where access("\(folder)/\(player.name)", X_OK) == 0 {
                (path, arguments) = ("\(folder)/\(player.name)", [player.name] + player.arguments)
                return
            }
        }
        throw AudioLDM2Error(
            .invalidOption,
            "--play needs a program that plays sounds, and there is none on PATH: install pw-play (Debian's pipewire-bin), "
                + "paplay (pulseaudio-utils), aplay (alsa-utils) or ffplay (ffmpeg)")
    }

    /// Plays a sound to its end.
    /// - Throws: `AudioLDM2Error` of kind `.file` if the player fails; `CancellationError`, when it has been stopped.
    func play(_ clip: AudioClip) async throws {
        // All of them read WAV files, and not all of them other kinds.
        let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        let file = "\(folder)/audioldm2-\(getpid())-\(UInt32.random(in: 0 ... .max)).wav"
        try clip.write(to: file)
        defer { unlink(file) }
        let player = try start(file)
        var status: Int32 = 0
        while true {
            let found = waitpid(player, &status, WNOHANG)
            if found == player { break }
            guard found == 0 || errno == EINTR else { throw failure("it cannot be waited for") }
            do {
                try await Task.sleep(for: .milliseconds(20))
            } catch {
                kill(player, SIGTERM)
                waitpid(player, &status, 0)
                throw error
            }
        }
        guard status == 0 else {
            throw failure(status & 0x7F == 0 ? "it exits with \(status >> 8 & 0xFF)" : "it was stopped")
        }
    }

    private func failure(_ reason: String) -> AudioLDM2Error {
        AudioLDM2Error(.file, "\(path): does not play the sound: \(reason); the file is written all the same")
    }

    /// With the signals' usual effects, which we handle ourselves, and what it says on our standard error.
    private func start(_ file: String) throws -> pid_t {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGXFSZ] { sigaddset(&signals, number) }
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO)
        let words = (arguments + [file]).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var player: pid_t = 0
        let code = posix_spawn(&player, path, &actions, &attributes, words, environ)
        guard code == 0 else { throw failure(String(cString: strerror(code)).lowercased()) }
        return player
    }
}
