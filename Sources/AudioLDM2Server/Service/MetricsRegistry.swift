#if Server
    import CoreMetrics
    import FoundationEssentials
    import Synchronization

    /// What swift-metrics measures, as text that Prometheus reads (exposition format 0.0.4).
    final class MetricsRegistry: MetricsFactory {
        /// One series of numbers.
        final class Series: CounterHandler, MeterHandler, RecorderHandler, TimerHandler, FloatingPointCounterHandler {
            enum Kind: String { case counter, gauge, summary }

            private struct Value {
                var sum = 0.0
                var count = 0
            }

            let kind: Kind
            private let value = Mutex(Value())

            init(_ kind: Kind) { self.kind = kind }

            func increment(by amount: Int64) { add(Double(amount)) }
            func increment(by amount: Double) { add(amount) }
            func decrement(by amount: Double) { add(-amount) }
            func reset() { value.withLock { $0 = Value() } }
            func set(_ number: Int64) { set(Double(number)) }
            func set(_ number: Double) { value.withLock { $0.sum = number } }
            func record(_ number: Int64) { observe(Double(number)) }
            func record(_ number: Double) { observe(number) }
            func recordNanoseconds(_ duration: Int64) { observe(Double(duration) / 1e9) }

            private func add(_ amount: Double) { value.withLock { $0.sum += amount } }

            private func observe(_ number: Double) {
                value.withLock {
                    $0.sum += number
                    $0.count += 1
                }
            }

            func lines(_ name: String, _ labels: String) -> [String] {
                let value = value.withLock { $0 }
                guard kind == .summary else { return ["\(name)\(labels) \(value.sum)"] }
                return ["\(name)_sum\(labels) \(value.sum)", "\(name)_count\(labels) \(value.count)"]
            }
        }

        private struct Key: Hashable, Comparable {
            let name: String
            let labels: String

            static func < (a: Key, b: Key) -> Bool { (a.name, a.labels) < (b.name, b.labels) }
        }

        private let series = Mutex<[Key: Series]>([:])

        private func series(_ label: String, _ dimensions: [(String, String)], _ kind: Series.Kind) -> Series {
            let name = String(label.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
            let pairs = dimensions.map { dimension, value in
                let text = value.replacing("\\", with: "\\\\").replacing(
                    "\"", with: "\\\""
                )
                .replacing("\n", with: "\\n")
                return "\(dimension.replacing(".", with: "_"))=\"\(text)\""
            }
            let key = Key(name: name, labels: pairs.isEmpty ? "" : "{\(pairs.joined(separator: ","))}")
            return series.withLock { all in
                if let known = all[key] { return known }
                let new = Series(kind)
                all[key] = new
                return new
            }
        }

        func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
            series(label, dimensions, .counter)
        }

        func makeFloatingPointCounter(
            label: String, dimensions: [(String, String)]
        ) -> any FloatingPointCounterHandler { series(label, dimensions, .counter) }

        func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
            series(label, dimensions, .gauge)
        }

        func makeRecorder(
            label: String, dimensions: [(String, String)], aggregate: Bool
        ) -> any RecorderHandler { series(label, dimensions, .summary) }

        func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
            series(label + "_seconds", dimensions, .summary)
        }

        // Series stay: there are few.
        func destroyCounter(_ handler: any CounterHandler) {}
        func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
        func destroyMeter(_ handler: any MeterHandler) {}
        func destroyRecorder(_ handler: any RecorderHandler) {}
        func destroyTimer(_ handler: any TimerHandler) {}

        /// All series.
        var text: String {
            var lines: [String] = []
            var last = ""
            for (key, series) in series.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
                if key.name != last { lines.append("# TYPE \(key.name) \(series.kind.rawValue)") }
                last = key.name
                lines += series.lines(key.name, key.labels)
            }
            return lines.joined(separator: "\n") + "\n"
        }
    }
#endif
