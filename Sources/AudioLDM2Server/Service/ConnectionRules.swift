#if Server
    import HTTPTypes
    import NIOCore
    import NIOHTTPTypes

    /// What a connection owes us, so that nobody holds one for nothing: a request soon after it was opened, and then bodies that
    /// come; and what HTTP owes it: the word to go on for clients that wait with a body, and the end where an answer announces it.
    final class ConnectionRules: ChannelDuplexHandler, RemovableChannelHandler {
        typealias InboundIn = HTTPRequestPart
        typealias InboundOut = HTTPRequestPart
        typealias OutboundIn = HTTPResponsePart
        typealias OutboundOut = HTTPResponsePart

        /// Time for the first request to come.
        private static let silence = TimeAmount.seconds(10)
        /// Time in which a body has to bring at least `leastBytes`, or its end.
        private static let bodyPeriod = TimeAmount.seconds(60)
        private static let leastBytes = 256 << 10
        /// Time that a client has to read the last answer.
        private static let farewell = TimeAmount.seconds(2)

        private var deadline: Scheduled<Void>?
        /// Bytes of the body since the deadline was set.
        private var bodyBytes = 0
        private var endsWithAnswer = false

        func handlerAdded(context: ChannelHandlerContext) {
            if context.channel.isActive { limitSilence(context) }
        }

        func channelActive(context: ChannelHandlerContext) {
            limitSilence(context)
            context.fireChannelActive()
        }

        func handlerRemoved(context: ChannelHandlerContext) { deadline?.cancel() }

        func channelInactive(context: ChannelHandlerContext) {
            deadline?.cancel()
            context.fireChannelInactive()
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let request):
                if Self.names("close", request.headerFields[.connection]) { endsWithAnswer = true }
                if Self.names("100-continue", request.headerFields[.expect]) {
                    context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
                }
                limitBody(context)
            case .body(let bytes): bodyBytes += bytes.readableBytes
            case .end: deadline?.cancel()
            }
            context.fireChannelRead(data)
        }

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            switch unwrapOutboundIn(data) {
            case .head(let response):
                if Self.names("close", response.headerFields[.connection]) { endsWithAnswer = true }
            case .end where endsWithAnswer:
                let written = context.eventLoop.makePromise(of: Void.self)
                written.futureResult.cascade(to: promise)
                written.futureResult.assumeIsolated().whenComplete { [self] _ in end(context) }
                return context.writeAndFlush(data, promise: written)
            default: break
            }
            context.write(data, promise: promise)
        }

        /// Closes our half at once, and the client's after a while: else what it has not read yet would be lost.
        private func end(_ context: ChannelHandlerContext) {
            context.close(mode: .output, promise: nil)
            close(context, in: Self.farewell)
        }

        private func limitSilence(_ context: ChannelHandlerContext) { close(context, in: Self.silence) }

        private func limitBody(_ context: ChannelHandlerContext) {
            bodyBytes = 0
            schedule(context, in: Self.bodyPeriod) { [self] context in
                if bodyBytes < Self.leastBytes { context.close(promise: nil) } else { limitBody(context) }
            }
        }

        private func close(_ context: ChannelHandlerContext, in time: TimeAmount) {
            schedule(context, in: time) { $0.close(promise: nil) }
        }

        private func schedule(
            _ context: ChannelHandlerContext, in time: TimeAmount, _ action: @escaping (ChannelHandlerContext) -> Void
        ) {
            deadline?.cancel()
            deadline = context.eventLoop.assumeIsolated().scheduleTask(in: time) { action(context) }
        }

        /// Whether a header has a word, in any case, among several.
        private static func names(_ word: String, _ header: String?) -> Bool {
            guard let header else { return false }
            return header.lowercased().split(whereSeparator: { $0 == "," || $0 == " " }).contains { $0 == word }
        }
    }
#endif
