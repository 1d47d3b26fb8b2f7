#if Server
    import AudioLDM2
    import FoundationEssentials
    import HTTPTypes
    import Hummingbird
    import SoundServer

    extension Response {
        /// An error as OpenAI's clients read it.
        init(_ error: OrderError) {
            struct Body: Encodable {
                struct Inner: Encodable {
                    let message: String
                    let type: String
                    let code: Int
                }
                let error: Inner
            }
            let type =
                error.status < 500 ? "invalid_request_error" : error.status == 503 ? "overloaded" : "server_error"
            // A status of nginx's, which has no name of its own.
            let status =
                error.status == 499
                ? HTTPResponse.Status(code: 499, reasonPhrase: "Client Closed Request") : .init(code: error.status)
            var response = Response.json(
                Body(error: .init(message: error.message, type: type, code: error.status)), status: status)
            if let seconds = error.retryAfter { response.headers[.retryAfter] = "\(seconds)" }
            self = response
        }

        /// A value as JSON.
        static func json(_ value: some Encodable, status: HTTPResponse.Status = .ok) -> Response {
            let data = (try? JSONEncoder.ofAnswers.encode(value)) ?? Data("{}".utf8)
            return Response(
                status: status, headers: [.contentType: "application/json", .cacheControl: "no-store"],
                body: .init(byteBuffer: ByteBuffer(bytes: data)))
        }

        static func text(_ text: String, _ mediaType: String) -> Response {
            Response(
                status: .ok, headers: [.contentType: mediaType], body: .init(byteBuffer: ByteBuffer(string: text)))
        }
    }

    extension JSONEncoder {
        /// As all answers are written.
        static var ofAnswers: JSONEncoder {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return encoder
        }
    }
#endif
