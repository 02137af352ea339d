import CNATS

/// A connection to NATS. Without a stream a message is accepted when the server has it; who subscribes then gets it, and nobody else ever.
@safe final class NATSConnection: BrokerConnection {
    private let connection: OpaquePointer
    /// Nil without a stream.
    private let stream: OpaquePointer?
    private let settings: NATSSettings
    private static let timeout_ms = Int64(Broker.timeout_s) * 1000

    private init(_ connection: OpaquePointer, stream: OpaquePointer?, _ settings: NATSSettings) {
        unsafe (self.connection, self.stream, self.settings) = (connection, stream, settings)
    }

    deinit {
        // SAFETY: both are owned by this object alone; the stream's context goes before its connection.
        if let stream = unsafe stream { unsafe jsCtx_Destroy(stream) }
        unsafe natsConnection_Destroy(connection)
    }

    /// `secret` is the password of the user, or a token where no user is named.
    static func open(_ settings: NATSSettings, secret: String) throws(TargetFailure) -> NATSConnection {
        var options: OpaquePointer?
        try check(unsafe natsOptions_Create(&options))
        // SAFETY: the connection keeps a copy of the options; the texts are copied by each call.
        defer { unsafe natsOptions_Destroy(options) }
        try check(unsafe natsOptions_SetURL(options, "nats://\(settings.address.text)"))
        try check(unsafe natsOptions_SetName(options, "ObjectGateway"))
        try check(unsafe natsOptions_SetTimeout(options, timeout_ms))
        // A lost connection is a failure of what was sent, and the next one is opened anew.
        try check(unsafe natsOptions_SetAllowReconnect(options, false))
        if let user = settings.user {
            try check(unsafe natsOptions_SetUserInfo(options, user, secret))
        } else if !secret.isEmpty {
            try check(unsafe natsOptions_SetToken(options, secret))
        }
        var connection: OpaquePointer?
        try check(unsafe natsConnection_Connect(&connection, options))
        guard let connection = unsafe connection else { throw TargetFailure("no connection") }
        var stream: OpaquePointer?
        if settings.isJetStream {
            let status = unsafe natsConnection_JetStream(&stream, connection, nil)
            guard status == NATS_OK else {
                unsafe natsConnection_Destroy(connection)
                throw failure(status)
            }
        }
        return unsafe NATSConnection(connection, stream: stream, settings)
    }

    func send(_ messages: [TargetMessage]) -> Delivery {
        if unsafe stream != nil { return sendToStream(messages) }
        do throws(TargetFailure) {
            for message in messages {
                try Self.check(
                    unsafe natsConnection_Publish(
                        connection, settings.subject, message.body, Int32(clamping: message.body.count)))
            }
            // The server's answer says that it has read all that was sent before.
            try Self.check(unsafe natsConnection_FlushTimeout(connection, Self.timeout_ms))
            return Delivery(acceptedCount: messages.count)
        } catch {
            return Delivery(acceptedCount: 0, failure: error)
        }
    }

    /// The stream drops doubles by the message's id.
    private func sendToStream(_ messages: [TargetMessage]) -> Delivery {
        for (index, message) in messages.enumerated() {
            // SAFETY: the texts and the bytes are read within the call, for which they are lent.
            let status = unsafe message.id.withCString { id in
                var options = unsafe jsPubOptions()
                unsafe jsPubOptions_Init(&options)
                unsafe options.MaxWait = Self.timeout_ms
                unsafe options.MsgId = id
                return unsafe js_Publish(
                    nil, stream, settings.subject, message.body, Int32(clamping: message.body.count), &options, nil)
            }
            guard status == NATS_OK else {
                return Delivery(acceptedCount: index, failure: Self.failure(status))
            }
        }
        return Delivery(acceptedCount: messages.count)
    }

    private static func check(_ status: natsStatus) throws(TargetFailure) {
        if status != NATS_OK { throw failure(status) }
    }

    private static func failure(_ status: natsStatus) -> TargetFailure {
        // SAFETY: a static text of the library.
        let text = unsafe natsStatus_GetText(status).map { unsafe String(cString: $0) }
        return TargetFailure(text ?? "NATS failed")
    }
}
