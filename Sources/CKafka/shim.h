// What became of a message comes by a callback with the message's own pointer.
#ifndef OGW_CKAFKA_H
#define OGW_CKAFKA_H
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdint.h>

/// The message's report is yet to come. No error of the library has this number.
static const int32_t ckafka_waiting = INT32_MIN;

/// Notes the error of a message, 0 for none, in the slot that it was sent with.
static inline void ckafka_note(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque) {
    (void)client, (void)opaque;
    if (message->_private) *(int32_t *)message->_private = (int32_t)message->err;
}
static inline void ckafka_take_reports(rd_kafka_conf_t *settings) { rd_kafka_conf_set_dr_msg_cb(settings, ckafka_note); }

/// The bytes are copied. Returns an error of the library, 0 for none; then `slot` gets its report.
static inline int32_t ckafka_send(rd_kafka_topic_t *topic, const uint8_t *key, size_t key_count, const uint8_t *body,
                                  size_t body_count, int32_t *slot) {
    int failed = rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, (void *)body, body_count, key,
                                  key_count, slot);
    return failed ? (int32_t)rd_kafka_last_error() : 0;
}
static inline const char *ckafka_text(int32_t error) { return rd_kafka_err2str((rd_kafka_resp_err_t)error); }
#endif
