// SPDX-License-Identifier: MIT
#pragma once
#include <librdkafka/rdkafka.h>

namespace telemetry {

/// The functions of librdkafka, which is loaded when an output needs it.
#define EBT_KAFKA_FUNCTIONS(F)                                                                               \
    F(conf_new)                                                                                              \
    F(conf_destroy)                                                                                          \
    F(conf_set)                                                                                              \
    F(conf_get)                                                                                              \
    F(conf_set_dr_msg_cb)                                                                                    \
    F(conf_set_error_cb)                                                                                     \
    F(conf_set_log_cb)                                                                                       \
    F(conf_set_opaque)                                                                                       \
    F(new)                                                                                                   \
    F(destroy)                                                                                               \
    F(err2str)                                                                                               \
    F(last_error)                                                                                            \
    F(fatal_error)                                                                                           \
    F(topic_new)                                                                                             \
    F(topic_destroy)                                                                                         \
    F(headers_new)                                                                                           \
    F(header_add)                                                                                            \
    F(headers_copy)                                                                                          \
    F(headers_destroy)                                                                                       \
    F(produceva)                                                                                             \
    F(error_code)                                                                                            \
    F(error_destroy)                                                                                         \
    F(poll)                                                                                                  \
    F(purge)

struct KafkaApi {
#define F(name) decltype(&::rd_kafka_##name) name##_;
    EBT_KAFKA_FUNCTIONS(F)
#undef F
    decltype(&::rd_kafka_conf_set_resolve_cb) conf_set_resolve_cb_; ///< null before librdkafka 2.0
};

/// Throws ebpf_loader::Error(usage) when there is no librdkafka.
const KafkaApi& kafka_api();

} // namespace telemetry
