// libcurl's option calls are variadic, which Swift does not import: one function per argument type.
#ifndef OGW_CCURL_H
#define OGW_CCURL_H
#include <curl/curl.h>

/// Both the receiving and the sending functions of libcurl have this form.
typedef size_t (*ccurl_receive)(char *bytes, size_t size, size_t count, void *context);
typedef int (*ccurl_seek)(void *context, curl_off_t offset, int origin);

static inline CURLcode ccurl_set_long(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode ccurl_set_size(CURL *handle, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(handle, option, value);
}
/// The string is copied by libcurl, except for CURLOPT_POSTFIELDS.
static inline CURLcode ccurl_set_string(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode ccurl_set_pointer(CURL *handle, CURLoption option, void *value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode ccurl_set_receive(CURL *handle, CURLoption option, ccurl_receive function) {
    return curl_easy_setopt(handle, option, function);
}
static inline CURLcode ccurl_set_seek(CURL *handle, ccurl_seek function) {
    return curl_easy_setopt(handle, CURLOPT_SEEKFUNCTION, function);
}
static inline CURLcode ccurl_set_open_socket(CURL *handle, curl_opensocket_callback function) {
    return curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, function);
}
static inline CURLMcode ccurl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}
/// The handle and the result of the next transfer that ended; null where there is none.
static inline CURL *ccurl_multi_ended(CURLM *multi, CURLcode *result) {
    int left = 0;
    for (;;) {
        const CURLMsg *message = curl_multi_info_read(multi, &left);
        if (message == NULL) return NULL;
        if (message->msg != CURLMSG_DONE) continue;
        *result = message->data.result;
        return message->easy_handle;
    }
}
static inline CURLcode ccurl_status(CURL *handle, long *status) {
    return curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, status);
}
/// CURLVERSION_NOW is a macro of an enumerator.
static inline const char *ccurl_version(void) { return curl_version_info(CURLVERSION_NOW)->version; }
#endif
