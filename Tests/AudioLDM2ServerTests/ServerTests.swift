#if Server
    import AudioLDM2
    import AudioLDM2DefaultModel
    import Foundation
    import TestSupport
    import Testing

    /// The server as its clients see it, with the model that ships.
    @Suite(.serialized) struct ServerTests {
        private func generate(_ server: RunningServer, _ json: String) throws -> Answer {
            try server.ask("POST", "/v1/audio/generate", json: json)
        }

        private static let rain = #"{"input": "rain", "audio_length": 0.5, "num_inference_steps": 2, "seed": 3"#

        /// What the command writes.
        private func file(_ server: RunningServer, _ arguments: [String], format: String = "wav") throws -> Data {
            let path = server.folder.file("command.\(format)")
            let run = try CommandRun("audioldm2", ["generate"] + arguments + ["-o", path, "--quiet"])
            #expect(run.status == 0, "\(run.errors)")
            return try Data(contentsOf: URL(fileURLWithPath: path))
        }

        @Test func soundsAreTheCommands() throws {
            let server = try RunningServer()
            let arguments = ["rain", "--seconds", "0.5", "--steps", "2", "--seed", "3"]
            let wav = try generate(server, Self.rain + "}")
            #expect(wav.status == 200 && wav.headers["content-type"] == "audio/wav" && wav.headers["x-seed"] == "3")
            #expect(try wav.body == file(server, arguments))
            let flac = try generate(server, Self.rain + #", "response_format": "flac"}"#)
            #expect(try flac.body == file(server, arguments, format: "flac"))
            let other = try server.ask(
                "POST", "/v1/sound-generation?output_format=wav",
                json: #"{"text": "rain", "duration_seconds": 0.5, "seed": 3}"#)
            #expect(try other.body == file(server, ["rain", "--seconds", "0.5", "--seed", "3"]))
            // Sent while it is made: the same samples.
            let streamed = try generate(server, Self.rain + #", "stream": true}"#)
            #expect(streamed.status == 200 && streamed.headers["transfer-encoding"] == "chunked")
            #expect(try AudioClip(data: streamed.body).samples.count == AudioClip(data: wav.body).samples.count)
            #expect(server.end(by: SIGTERM) == 0)
        }

        @Test func aVariableNamesTheModel() throws {
            let run = try CommandRun(
                "audioldm2-server", ["--port", "0"], environment: ["AUDIOLDM2_MODEL": "/nowhere/missing.aldm"])
            #expect(run.status == 1 && run.errors.contains("/nowhere/missing.aldm"), "\(run.errors)")
        }

        @Test func clientsAtOnce() async throws {
            let server = try RunningServer()
            let answers = try await withThrowingTaskGroup(of: (Int, Data).self) { group in
                for seed in 1...8 {
                    group.addTask {
                        let json =
                            #"{"input": "rain", "audio_length": 0.3, "num_inference_steps": 2, "seed": \#(seed)}"#
                        return try await onThread {
                            (seed, try server.ask("POST", "/v1/audio/generate", json: json).body)
                        }
                    }
                }
                return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
            for seed in 1...8 {
                #expect(
                    try answers[seed]
                        == file(server, ["rain", "--seconds", "0.3", "--steps", "2", "--seed", "\(seed)"]))
            }
        }

        @Test func jobs() throws {
            let server = try RunningServer()
            let made = try server.ask(
                "POST", "/v1/jobs", json: #"{"prompt": "rain", "seconds": 0.5, "steps": 3, "seed": 1}"#)
            let path = try #require(made.headers["location"])
            #expect(made.status == 202 && path.count == "/v1/jobs/".count + 32)
            let events = try server.ask("GET", path + "/events").text.split(separator: "\n\n")
            #expect(events.allSatisfy { $0.hasPrefix("data: {") || $0.hasPrefix(":") })
            #expect(events.last?.contains("\"status\":\"completed\"") == true)
            let result = try server.ask("GET", path + "/result")
            #expect(result.status == 200 && result.body.starts(with: Data("RIFF".utf8)))
            // A form, as a browser sends it.
            let form =
                Data(
                    "--b\r\nContent-Disposition: form-data; name=\"request\"\r\n\r\n{\"operation\": \"transform\", \"prompt\": \"wind\", \"steps\": 4, \"seed\": 2}\r\n--b\r\nContent-Disposition: form-data; name=\"sound\"; filename=\"x\"\r\n\r\n"
                        .utf8)
                + result.body + Data("\r\n--b--\r\n".utf8)
            let change = try server.ask(
                "POST", "/v1/jobs", headers: ["Content-Type": "multipart/form-data; boundary=b"], body: form)
            let changed = try #require(change.headers["location"])
            _ = try server.ask("GET", changed + "/events")
            #expect(try server.ask("GET", changed).text.contains("\"status\":\"completed\""))
            // One that is ended.
            let long = try server.ask("POST", "/v1/jobs", json: #"{"prompt": "rain", "seconds": 5, "steps": 500}"#)
            let ended = try #require(long.headers["location"])
            #expect(try server.ask("GET", ended + "/result").status == 409)
            #expect(try server.ask("DELETE", ended).text.contains("\"cancelled\""))
            #expect(try server.ask("GET", ended + "/result").status == 409)
            #expect(try server.ask("GET", "/v1/jobs/0123").status == 404)
            #expect(server.end(by: SIGTERM) == 0)
        }

        @Test func refusals() throws {
            let server = try RunningServer(["--max-seconds", "5", "--max-upload", "1M"])
            #expect(try generate(server, "{").status == 400)
            #expect(try generate(server, #"{"input": "rain", "audio_length": 6}"#).status == 400)
            #expect(try generate(server, #"{"input": "rain", "model": "x"}"#).status == 404)
            #expect(
                try server.ask(
                    "POST", "/v1/audio/speech", json: #"{"input": "a", "model": "default", "voice": "nova"}"#
                ).status == 400)
            #expect(try server.ask("POST", "/v1/audio/generate", body: Data("{}".utf8)).status == 415)
            #expect(try server.ask("GET", "/nothing").status == 404)
            #expect(try server.ask("GET", "/../../etc/passwd").status == 404)
            let large = try server.ask(
                "POST", "/v1/jobs", headers: ["Content-Type": "multipart/form-data; boundary=b"],
                body: Data(count: 2 << 20))
            #expect(large.status == 413 && large.text.contains("\"error\""))
            // Another site's page, and another name of this machine.
            #expect(try server.ask("GET", "/v1/models", headers: ["Origin": "http://evil.example"]).status == 403)
            #expect(try server.ask("GET", "/v1/models", headers: ["Host": "evil.example"]).status == 403)
            let page = try server.ask("GET", "/")
            #expect(
                page.status == 200
                    && page.headers["content-security-policy"]?.contains("frame-ancestors 'none'") == true)
            #expect(page.headers["access-control-allow-origin"] == nil)
            let models = try server.ask("GET", "/v1/models")
            #expect(models.text.contains("\"id\":\"default\"") && models.text.contains("generate"))
            let metrics = try server.ask("GET", "/metrics").text
            #expect(metrics.contains("audioldm2_jobs_waiting 0") && metrics.contains("status_code=\"400\""))
            #expect(metrics.contains("status_code=\"403\"") && !metrics.contains("status_code=\"500\""))
            for host in ["[::1]evil", "localhost:1@evil", "[localhost]", "127.", "127.1.1.٣", "evil.localhost:1"] {
                #expect(try server.ask("GET", "/health", headers: ["Host": host]).status == 403, "\(host)")
            }
            for host in ["LOCALHOST", "localhost.", "127.0.0.1:80", "[::1]:80"] {
                #expect(try server.ask("GET", "/health", headers: ["Host": host]).status == 200, "\(host)")
            }
            #expect(
                try server.ask("POST", "/v1/jobs", json: "{}", headers: ["Sec-Fetch-Site": "cross-site"]).status == 403)
            let head = try server.ask("HEAD", "/")
            #expect(head.status == 200 && head.body.isEmpty)
        }

        /// A time that no number of a frame is ended the program once.
        @Test func timesBeyondAllSounds() throws {
            let server = try RunningServer()
            let sound = try AudioClip(samples: Array(repeating: 0.1, count: 16000), sampleRate: 16000).data(as: .wav)
            let form =
                Data(
                    "--b\r\nContent-Disposition: form-data; name=\"request\"\r\n\r\n{\"operation\": \"inpaint\", \"prompt\": \"wind\", \"steps\": 1, \"times\": [[0.5, 1e300]]}\r\n--b\r\nContent-Disposition: form-data; name=\"sound\"\r\n\r\n"
                        .utf8)
                + sound + Data("\r\n--b--\r\n".utf8)
            let job = try server.ask(
                "POST", "/v1/jobs", headers: ["Content-Type": "multipart/form-data; boundary=b"], body: form)
            let path = try #require(job.headers["location"])
            _ = try server.ask("GET", path + "/events")
            #expect(try server.ask("GET", path).text.contains("\"status\":\"completed\""))
        }

        /// Connections end where an answer says so, and those that wait with their body are told to go on.
        @Test func connections() throws {
            let server = try RunningServer()
            let body = #"{"input": "rain", "audio_length": 0.3, "num_inference_steps": 1, "seed": 1}"#
            let post =
                "POST /v1/audio/generate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n"
            // A second request right behind the first.
            let two = try server.connect()
            try two.send(Data((post + "\r\n" + body + "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").utf8))
            #expect(try Answer(two.readAll()).status == 200)
            // A body that never ends, of a request that is refused.
            let endless = try server.connect()
            try endless.send(
                Data("POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000000000\r\n\r\n{".utf8))
            #expect(try Answer(endless.readAll()).status == 404)
            let patient = try server.connect()
            try patient.send(Data((post + "Expect: 100-continue\r\n\r\n").utf8))
            #expect(String(decoding: patient.read(), as: UTF8.self).hasPrefix("HTTP/1.1 100 "))
            try patient.send(Data(body.utf8))
            #expect(try Answer(patient.readAll()).status == 200)
        }

        @Test func keys() throws {
            let folder = try TemporaryFolder()
            let key = "0123456789abcdef-right"
            let server = try RunningServer(["--api-key-file", folder.write("# ours\n\(key)\n", to: "keys")])
            func status(_ headers: [String: String], _ path: String = "/v1/models") throws -> Int {
                try server.ask("GET", path, headers: headers).status
            }
            #expect(try status([:]) == 401 && status(["Authorization": "Bearer 0123456789abcdef-wrong"]) == 401)
            #expect(try status(["Authorization": "Bearer "]) == 401 && status(["Authorization": key]) == 401)
            #expect(try status(["Authorization": "Bearer \(key)"]) == 200 && status(["xi-api-key": key]) == 200)
            // However a path is written, if it leads there.
            for path in ["//v1/models", "/v1//models", "/metrics/", "//metrics", "/%761/models", "/nothing"] {
                #expect(try status([:], path) == 401, "\(path)")
            }
            #expect(try status(["Authorization": "bearer \(key)"]) == 200)
            #expect(try server.ask("GET", "/v1/models").headers["www-authenticate"] == "Bearer")
            #expect(try status([:], "/health") == 200 && status([:], "/") == 200 && status([:], "/metrics") == 401)
            let run = try CommandRun("audioldm2-server", ["--api-key-file", folder.write("short\n", to: "bad")])
            #expect(run.failed(naming: "16"))
            let remark = try CommandRun(
                "audioldm2-server", ["--api-key-file", folder.write("\(key) # mine\n", to: "remark")])
            #expect(remark.failed(naming: "space"))
        }

        /// A client that goes takes its work with it, and nothing stays behind.
        @Test func clientsThatGo() throws {
            let server = try RunningServer()
            for stream in ["false", "true"] {
                var gone: Connection? = try server.connect()
                let body = #"{"input": "rain", "audio_length": 5, "num_inference_steps": 900, "stream": \#(stream)}"#
                try gone?.send(
                    Data(
                        "POST /v1/audio/generate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
                            .utf8))
                try waitUntil { try server.ask("GET", "/health").text.contains("\"running\":1") }
                gone = nil
                try waitUntil { try server.ask("GET", "/health").text.contains("\"running\":0") }
            }
            // Half of a request, and nonsense.
            let half = try server.connect()
            try half.send(
                Data("POST /v1/audio/generate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{".utf8))
            let nonsense = try server.connect()
            try nonsense.send(Data([0, 1, 2, 13, 10, 13, 10]))
            #expect(try generate(server, Self.rain + "}").status == 200)
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: server.folder.file("")).allSatisfy {
                    !$0.contains("audioldm2-server")
                })
            withExtendedLifetime((half, nonsense)) {}
        }

        /// Who asked for a job can come for its sound after the first signal.
        @Test func jobsAreFetchedWhileItDrains() async throws {
            let server = try RunningServer()
            let made = try server.ask("POST", "/v1/jobs", json: #"{"prompt": "rain", "seconds": 2, "steps": 40}"#)
            let path = try #require(made.headers["location"])
            async let status = onThread { server.end(by: SIGTERM) }
            try await onThread {
                try waitUntil { try server.ask("GET", path).text.contains("\"status\":\"completed\"") }
            }
            #expect(try server.ask("POST", "/v1/jobs", json: #"{"prompt": "rain"}"#).status == 503)
            #expect(try server.ask("GET", path + "/result").status == 200)
            #expect(await status == 0)
        }

        /// At the first signal what was taken in is made.
        @Test func itDrains() async throws {
            let server = try RunningServer()
            async let answer = onThread {
                try server.ask(
                    "POST", "/v1/audio/generate",
                    json: #"{"input": "rain", "audio_length": 2, "num_inference_steps": 40, "seed": 1}"#)
            }
            try await onThread { try waitUntil { try server.ask("GET", "/health").text.contains("\"running\":1") } }
            let status = await onThread { server.end(by: SIGTERM) }
            #expect(status == 0)
            #expect(try await answer.status == 200)
        }

        /// - Throws: `RunningServer.Failure` after 30 s.
        private func waitUntil(_ condition: () throws -> Bool) throws {
            for _ in 0..<300 {
                if try condition() { return }
                usleep(100_000)
            }
            throw RunningServer.Failure("it did not become so")
        }
    }

    /// Work that waits, on a thread of its own and not of the pool that tasks need.
    private func onThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            Thread { continuation.resume(with: Result { try work() }) }.start()
        }
    }

    private func onThread<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            Thread { continuation.resume(returning: work()) }.start()
        }
    }
#endif
