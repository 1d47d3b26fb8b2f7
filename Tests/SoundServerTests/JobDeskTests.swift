import AudioLDM2
import AudioLDM2DefaultModel
import Foundation
import SoundServer
import Testing

/// The queue, with the model that ships.
@Suite(.serialized) struct JobDeskTests {
    private func desk(_ change: (inout ServerLimits) -> Void = { _ in }) async throws -> JobDesk {
        var limits = ServerLimits()
        change(&limits)
        let model = try await ServedModel(
            opening: DefaultModel.path(), threads: 2, device: .cpu, weightBudget: .max, memoryLimit: nil)
        return JobDesk(models: [model], limits: limits)
    }

    private func order(_ prompt: String, seed: UInt64 = 1, steps: Int = 2, seconds: Double = 0.3) -> SoundOrder {
        var settings = SoundSettings()
        settings.seconds = seconds
        settings.seed = seed
        settings.numInferenceSteps = steps
        return SoundOrder("generate", .generate, prompt: prompt, settings: settings)
    }

    private func alone(_ order: SoundOrder) async throws -> Data {
        let pipeline = try await AudioLDM2Pipeline(modelAt: DefaultModel.path(), threads: 2, device: .cpu)
        let result = try await pipeline.generate(
            order.prompt, options: order.settings.options(profile: pipeline.profile))
        return try result.clip.data(as: order.format, record: result.record)
    }

    /// What waits together is made together, and each is what it would be alone.
    @Test func soundsAreWhatTheyAreAlone() async throws {
        let desk = try await desk()
        let orders = (1...5).map { order("rain", seed: UInt64($0)) } + [order("a bell", steps: 3)]
        var jobs: [Job] = []
        for order in orders { jobs.append(try await desk.submit(order)) }
        for (order, job) in zip(orders, jobs) {
            let end = try await job.end()
            #expect(end.status == .completed && end.progress != nil)
            #expect(try await job.file == alone(order))
        }
    }

    @Test func tooManyWait() async throws {
        let desk = try await desk { $0.waitingJobs = 2 }
        var jobs = [try await desk.submit(order("rain", steps: 200, seconds: 2))]
        for _ in 0..<2 { jobs.append(try await desk.submit(order("wind"))) }
        await #expect { try await desk.submit(order("one more")) } throws: { error in
            (error as? OrderError)?.status == 503 && (error as? OrderError)?.retryAfter != nil
        }
        #expect(jobs[2].state.status == .queued && jobs[2].state.position == 1)
        // One that waits ends at once, what is made within a step; the rest goes on.
        await desk.cancel(jobs[1])
        #expect(jobs[1].state.status == .cancelled && jobs[2].state.position == 0)
        await desk.cancel(jobs[0])
        #expect(jobs[0].state.status == .cancelled)
        #expect(try await jobs[2].end().status == .completed)
        // What has ended stays as it is.
        await desk.cancel(jobs[2])
        #expect(jobs[2].state.status == .completed)
    }

    @Test func whatCannotBeMadeIsRefusedAtOnce() async throws {
        let desk = try await desk { ($0.seconds, $0.textBytes, $0.work) = (5, 20, 100) }
        func refuses(_ order: SoundOrder, _ status: Int, _ part: String) async {
            await #expect { try await desk.submit(order) } throws: { error in
                (error as? OrderError)?.status == status && "\(error)".contains(part)
            }
        }
        await refuses(order("rain", seconds: 6), 400, "5")
        await refuses(order(" \n"), 400, "empty")
        await refuses(order("a prompt that is too long"), 400, "20")
        await refuses(order("rain", steps: 40, seconds: 4), 400, "work")
        await refuses(order("rain", steps: 0), 400, "steps")
        var named = order("rain")
        named.model = "gpt"
        await refuses(named, 404, "default")
        named.model = nil
        named.settings.transcription = "hello"
        await refuses(named, 400, "speak")
        named = order("rain")
        named.candidates = 100
        await refuses(named, 400, "candidates")
        named = order("rain")
        named.settings.negativePrompt = "another text that is too long"
        await refuses(named, 400, "negative_prompt")
        named = order("rain")
        (named.format, named.settings.encoding) = (.ogg, .pcm24)
        await refuses(named, 400, "bits")
        (named.format, named.settings.encoding, named.settings.sampleRate) = (.mp3, nil, 96000)
        await refuses(named, 400, "96000")
        let clip = AudioClip(samples: Array(repeating: 0.1, count: 88200), sampleRate: 44100, channels: 2)
        named = SoundOrder("inpaint", .edit(.inpaint([0...0.5]), clip), prompt: "rain", format: .opus)
        await refuses(named, 400, "44100")
        let plans: [(EditPlan, String)] = [
            (.transform(strength: 0), "strength"), (.inpaint([]), "part"), (.inpaint([3...4]), "3.0"),
            (.extend(by: -1), "-1"),
        ]
        for (plan, part) in plans {
            await refuses(SoundOrder("edit", .edit(plan, clip), prompt: "rain"), 400, part)
        }
        #expect(await desk.load == (0, 0))
    }

    /// Plain sounds do not pass by those that are made by themselves.
    @Test func nobodyIsMadeBeforeOneWhoCameEarlier() async throws {
        let desk = try await desk()
        var jobs = [try await desk.submit(order("rain", steps: 8))]
        var choice = order("wind")
        choice.candidates = 2
        for order in [order("a bell"), choice, order("a cow")] { jobs.append(try await desk.submit(order)) }
        var starts: [Double] = []
        for job in jobs { starts.append(try #require(try await job.end().startedAt)) }
        #expect(starts == starts.sorted() && Set(starts).count == 4, "\(starts)")
    }

    /// What was sent goes with the job's end, and of jobs that ended there are so many.
    @Test func endedJobsHoldNothing() async throws {
        let desk = try await desk { ($0.endedJobs, $0.uploadedBytes, $0.lastSeconds) = (2, 1 << 20, 0.3) }
        let first = try await desk.submit(order("rain", steps: 100, seconds: 2))
        let clip = AudioClip(samples: Array(repeating: 0.1, count: 200_000), sampleRate: 16000)
        let change = SoundOrder("transform", .edit(.transform(strength: 0.5), clip), prompt: "rain")
        let waiting = try await desk.submit(change)
        await #expect { try await desk.submit(change) } throws: { ($0 as? OrderError)?.status == 503 }
        await desk.cancel(waiting)
        let next = try await desk.submit(change)
        await desk.cancel(next)
        #expect(await desk.job(waiting.id) === waiting)
        await desk.cancel(first)
        #expect(await desk.job(waiting.id) == nil)
        #expect(await desk.job(first.id) === first)
        // The sound that nobody comes for delays the end a little.
        let last = try await desk.submit(order("rain"))
        let start = ContinuousClock.now
        await desk.drain()
        #expect(last.state.status == .completed && ContinuousClock.now - start > .milliseconds(300))
        await #expect { try await desk.submit(order("rain")) } throws: { ($0 as? OrderError)?.status == 503 }
    }

    @Test func changesAndScores() async throws {
        let desk = try await desk()
        let made = try await desk.submit(order("rain", seconds: 1))
        #expect(try await made.end().status == .completed)
        let sound = try #require(made.file)
        var change = order("wind")
        change.settings.seconds = nil
        change.operation = "transform"
        let clip = try AudioClip(data: sound)
        change.work = .edit(.transform(strength: 0.5), clip)
        let changed = try await desk.submit(change)
        #expect(try await changed.end().status == .completed && changed.file != made.file)
        let score = try await desk.submit(SoundOrder("score", .score(clip), prompt: "rain"))
        let end = try await score.end()
        #expect(end.status == .completed && score.file == nil)
        let fit = try #require(end.result?.score)
        #expect((-1...1).contains(fit))
    }

    @Test func statesAreHeard() async throws {
        let desk = try await desk()
        let job = try await desk.submit(order("rain", steps: 12, seconds: 1))
        var heard: [JobState.Status] = []
        for await state in job.states() where heard.last != state.status { heard.append(state.status) }
        #expect(heard.last == .completed && heard.count >= 2)
        var again: [JobState] = []
        for await state in job.states() { again.append(state) }
        #expect(again == [job.state])
        let json = String(decoding: try JSONEncoder().encode(job.state), as: UTF8.self)
        for field in ["created_at", "started_at", "finished_at", "\"seed\":1"] { #expect(json.contains(field)) }
    }

    @Test func streamsAreTheSameSamples() async throws {
        let desk = try await desk()
        let received = Received()
        let job = try await desk.submit(order("rain", seconds: 1)) { samples, rate, _ in received.add(samples, rate) }
        #expect(try await job.end().status == .completed && job.file == nil)
        let whole = try AudioClip(data: await alone(order("rain", seconds: 1)))
        #expect(received.rate == whole.sampleRate && received.samples.count == whole.samples.count)
        // A client that goes.
        let gone = try await desk.submit(order("rain", steps: 4, seconds: 1)) { _, _, _ in throw CancellationError() }
        #expect(try await gone.end().status == .cancelled)
    }

    private final class Received: @unchecked Sendable {
        // Unchecked: written by the working thread, read once the job has ended.
        var samples: [Float] = []
        var rate = 0
        func add(_ more: [Float], _ rate: Int) {
            samples += more
            self.rate = rate
        }
    }

    @Test func resultsGoWhenTheyTakeTooMuch() async throws {
        let desk = try await desk { $0.resultBytes = 1 }
        let first = try await desk.submit(order("rain"))
        #expect(try await first.end().status == .completed && first.file != nil)
        let second = try await desk.submit(order("wind"))
        #expect(try await second.end().status == .completed)
        // The desk looks at what it keeps once the job's end is known.
        _ = await desk.load
        #expect(first.file == nil && second.file != nil)
        let (known, unknown) = (await desk.job(first.id), await desk.job("0"))
        #expect(known === first && unknown == nil)
    }

    @Test func drainingMakesWhatWasTakenIn() async throws {
        let desk = try await desk()
        let job = try await desk.submit(order("rain"))
        let other = try await desk.submit(order("wind", steps: 3))
        await desk.drain()
        #expect(job.state.status == .completed && other.state.status == .completed)
        await #expect { try await desk.submit(order("late")) } throws: { ($0 as? OrderError)?.status == 503 }
    }
}
