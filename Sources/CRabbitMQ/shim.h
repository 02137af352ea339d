// librabbitmq's login is variadic, and its frames are unions with pointers to structs of many kinds.
#ifndef OGW_CRABBITMQ_H
#define OGW_CRABBITMQ_H
#include <amqp.h>
#include <amqp_tcp_socket.h>
#include <stdbool.h>
#include <string.h>
#include <sys/time.h>

/// What the broker said next.
typedef enum {
    CAMQP_ACKNOWLEDGED,
    CAMQP_REFUSED,
    /// No queue took the message.
    CAMQP_RETURNED,
    /// A frame that says nothing of a message.
    CAMQP_OTHER,
    /// `text` says why.
    CAMQP_FAILED
} camqp_answer;

static inline void camqp_say(char *text, size_t room, const char *what, size_t count) {
    if (count >= room) count = room - 1;
    memcpy(text, what, count);
    text[count] = 0;
}

/// Writes why the last call failed; false where it did not.
static inline bool camqp_failed(amqp_rpc_reply_t reply, char *text, size_t room) {
    const char *what = "an unknown answer";
    size_t count = strlen(what);
    if (reply.reply_type == AMQP_RESPONSE_NORMAL) return false;
    if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION) {
        what = amqp_error_string2(reply.library_error);
        count = strlen(what);
    } else if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION && reply.reply.decoded) {
        if (reply.reply.id == AMQP_CONNECTION_CLOSE_METHOD) {
            amqp_connection_close_t *close = (amqp_connection_close_t *)reply.reply.decoded;
            what = (const char *)close->reply_text.bytes, count = close->reply_text.len;
        } else if (reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD) {
            amqp_channel_close_t *close = (amqp_channel_close_t *)reply.reply.decoded;
            what = (const char *)close->reply_text.bytes, count = close->reply_text.len;
        }
    }
    camqp_say(text, room, what, count);
    return true;
}

static const amqp_channel_t camqp_channel = 1;

/// Opens a connection with one channel on which the broker confirms what is published. False with a text where that failed; the
/// connection is the caller's to destroy in either case.
static inline bool camqp_open(amqp_connection_state_t connection, const char *host, int port, const char *vhost,
                              const char *user, const char *password, long timeout_s, char *text, size_t room) {
    struct timeval timeout = {timeout_s, 0};
    amqp_socket_t *socket = amqp_tcp_socket_new(connection);
    int status = socket ? amqp_socket_open_noblock(socket, host, port, &timeout) : AMQP_STATUS_NO_MEMORY;
    if (status == AMQP_STATUS_OK) status = amqp_set_handshake_timeout(connection, &timeout);
    if (status == AMQP_STATUS_OK) status = amqp_set_rpc_timeout(connection, &timeout);
    if (status != AMQP_STATUS_OK) {
        const char *what = amqp_error_string2(status);
        camqp_say(text, room, what, strlen(what));
        return false;
    }
    if (camqp_failed(amqp_login(connection, vhost, 0, 131072, 0, AMQP_SASL_METHOD_PLAIN, user, password), text, room))
        return false;
    amqp_channel_open(connection, camqp_channel);
    if (camqp_failed(amqp_get_rpc_reply(connection), text, room)) return false;
    amqp_confirm_select(connection, camqp_channel);
    return !camqp_failed(amqp_get_rpc_reply(connection), text, room);
}

/// Sends a message that outlives a restart of the broker, where its queue does. Returns the library's status.
static inline int camqp_publish(amqp_connection_state_t connection, const char *exchange, const char *routing_key,
                                const char *id, const uint8_t *body, size_t count) {
    amqp_basic_properties_t properties;
    memset(&properties, 0, sizeof properties);
    properties._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_MESSAGE_ID_FLAG;
    properties.content_type = amqp_cstring_bytes("application/json");
    properties.delivery_mode = AMQP_DELIVERY_PERSISTENT;
    properties.message_id = amqp_cstring_bytes(id);
    amqp_bytes_t bytes = {count, (void *)body};
    return amqp_basic_publish(connection, camqp_channel, amqp_cstring_bytes(exchange), amqp_cstring_bytes(routing_key),
                              1, 0, &properties, bytes);
}

/// Waits for the next word of the broker. `tag` and `multiple` say which messages an acknowledgement is of.
static inline camqp_answer camqp_next(amqp_connection_state_t connection, long timeout_s, uint64_t *tag, bool *multiple,
                                      char *text, size_t room) {
    struct timeval timeout = {timeout_s, 0};
    amqp_frame_t frame;
    amqp_maybe_release_buffers(connection);
    int status = amqp_simple_wait_frame_noblock(connection, &frame, &timeout);
    if (status != AMQP_STATUS_OK) {
        const char *what = amqp_error_string2(status);
        camqp_say(text, room, what, strlen(what));
        return CAMQP_FAILED;
    }
    if (frame.frame_type != AMQP_FRAME_METHOD) return CAMQP_OTHER;
    switch (frame.payload.method.id) {
    case AMQP_BASIC_ACK_METHOD: {
        amqp_basic_ack_t *ack = (amqp_basic_ack_t *)frame.payload.method.decoded;
        *tag = ack->delivery_tag, *multiple = ack->multiple;
        return CAMQP_ACKNOWLEDGED;
    }
    case AMQP_BASIC_NACK_METHOD: return CAMQP_REFUSED;
    case AMQP_BASIC_RETURN_METHOD: return CAMQP_RETURNED;
    case AMQP_CHANNEL_CLOSE_METHOD: {
        amqp_channel_close_t *close = (amqp_channel_close_t *)frame.payload.method.decoded;
        camqp_say(text, room, (const char *)close->reply_text.bytes, close->reply_text.len);
        return CAMQP_FAILED;
    }
    case AMQP_CONNECTION_CLOSE_METHOD: {
        amqp_connection_close_t *close = (amqp_connection_close_t *)frame.payload.method.decoded;
        camqp_say(text, room, (const char *)close->reply_text.bytes, close->reply_text.len);
        return CAMQP_FAILED;
    }
    default: return CAMQP_OTHER;
    }
}

static inline const char *camqp_status_text(int status) { return amqp_error_string2(status); }
#endif
