#include "CCurl.h"

// The checks of the macro refer to functions that are not linked.
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#undef curl_easy_setopt
#undef curl_easy_getinfo

static struct {
    __typeof__(&curl_global_init) global_init;
    __typeof__(&curl_easy_init) easy_init;
    __typeof__(&curl_easy_reset) easy_reset;
    __typeof__(&curl_easy_cleanup) easy_cleanup;
    __typeof__(&curl_easy_setopt) easy_setopt;
    __typeof__(&curl_easy_perform) easy_perform;
    __typeof__(&curl_easy_getinfo) easy_getinfo;
    __typeof__(&curl_easy_strerror) easy_strerror;
    __typeof__(&curl_slist_append) slist_append;
    __typeof__(&curl_slist_free_all) slist_free_all;
} curl;

static char load_failure[256];

static int find(void *library, const char *name, void **function) {
    *function = dlsym(library, name);
    if (*function) return 1;
    snprintf(load_failure, sizeof load_failure, "libcurl has no %s", name);
    return 0;
}

static void load(void) {
    void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (!library) library = dlopen("libcurl-gnutls.so.4", RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        const char *reason = dlerror();
        snprintf(load_failure, sizeof load_failure, "%s", reason ? reason : "libcurl cannot be loaded");
        return;
    }
    if (find(library, "curl_global_init", (void **)&curl.global_init)
        && find(library, "curl_easy_init", (void **)&curl.easy_init)
        && find(library, "curl_easy_reset", (void **)&curl.easy_reset)
        && find(library, "curl_easy_cleanup", (void **)&curl.easy_cleanup)
        && find(library, "curl_easy_setopt", (void **)&curl.easy_setopt)
        && find(library, "curl_easy_perform", (void **)&curl.easy_perform)
        && find(library, "curl_easy_getinfo", (void **)&curl.easy_getinfo)
        && find(library, "curl_easy_strerror", (void **)&curl.easy_strerror)
        && find(library, "curl_slist_append", (void **)&curl.slist_append)
        && find(library, "curl_slist_free_all", (void **)&curl.slist_free_all)
        && curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        snprintf(load_failure, sizeof load_failure, "libcurl cannot be initialised");
    }
}

int ccurl_load(char *reason, size_t size) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    if (!load_failure[0]) return 0;
    snprintf(reason, size, "%s", load_failure);
    return -1;
}

struct ccurl_handle {
    CURL *easy;
};

ccurl_handle *ccurl_open(void) {
    char reason[sizeof load_failure];
    if (ccurl_load(reason, sizeof reason) != 0) return NULL;
    ccurl_handle *handle = calloc(1, sizeof *handle);
    if (!handle) return NULL;
    handle->easy = curl.easy_init();
    if (!handle->easy) {
        free(handle);
        return NULL;
    }
    return handle;
}

void ccurl_close(ccurl_handle *handle) {
    if (!handle) return;
    curl.easy_cleanup(handle->easy);
    free(handle);
}

struct exchange {
    const struct ccurl_request *request;
    struct ccurl_result *result;
};

static size_t take_answer(char *bytes, size_t size, size_t count, void *context) {
    struct exchange *exchange = context;
    size_t length = size * count;
    size_t room = exchange->request->answer_capacity - exchange->result->answer_length;
    size_t taken = length < room ? length : room;
    memcpy(exchange->request->answer + exchange->result->answer_length, bytes, taken);
    exchange->result->answer_length += taken;
    // Less than all ends the transfer.
    return taken;
}

static int watch(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d) {
    (void)a, (void)b, (void)c, (void)d;
    struct exchange *exchange = context;
    return exchange->request->is_stopped(exchange->request->context);
}

void ccurl_post(ccurl_handle *handle, const struct ccurl_request *request, struct ccurl_result *result) {
    CURL *easy = handle->easy;
    struct exchange exchange = {request, result};
    char failure[CURL_ERROR_SIZE] = "";
    struct curl_slist *headers = NULL;
    memset(result, 0, sizeof *result);
    // An empty Expect keeps libcurl from waiting for a 100 that few servers send.
    headers = curl.slist_append(NULL, "Expect:");
    for (size_t index = 0; headers && index < request->header_count; index++) {
        struct curl_slist *longer = curl.slist_append(headers, request->headers[index]);
        if (!longer) {
            curl.slist_free_all(headers);
            headers = NULL;
            break;
        }
        headers = longer;
    }
    if (!headers) {
        snprintf(result->failure, sizeof result->failure, "no memory");
        return;
    }
    int set = 1;
#define SET(option, value) set = set && curl.easy_setopt(easy, option, value) == CURLE_OK
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_ERRORBUFFER, failure);
    SET(CURLOPT_URL, request->url);
#if LIBCURL_VERSION_NUM >= 0x075500
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
#else
    SET(CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_POST, 1L);
    SET(CURLOPT_POSTFIELDS, request->body);
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_length);
    SET(CURLOPT_HTTPHEADER, headers);
    SET(CURLOPT_CONNECTTIMEOUT_MS, request->connect_timeout_ms);
    SET(CURLOPT_TIMEOUT_MS, request->timeout_ms);
    SET(CURLOPT_WRITEFUNCTION, take_answer);
    SET(CURLOPT_WRITEDATA, &exchange);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_XFERINFOFUNCTION, watch);
    SET(CURLOPT_XFERINFODATA, &exchange);
    if (request->ca_file) SET(CURLOPT_CAINFO, request->ca_file);
#undef SET
    if (!set) {
        snprintf(result->failure, sizeof result->failure, "libcurl does not take the request");
        curl.easy_reset(easy);
        curl.slist_free_all(headers);
        return;
    }
    CURLcode code = curl.easy_perform(easy);
    curl.easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &result->status);
    curl_off_t wait = 0;
    curl.easy_getinfo(easy, CURLINFO_RETRY_AFTER, &wait);
    result->retry_after = wait > 0 ? (long)wait : 0;
    // Leaves connections open, and forgets everything that is gone when this returns.
    curl.easy_reset(easy);
    curl.slist_free_all(headers);
    // Whose head came and said that all is well was received, however its body ended: it may be longer than what is
    // read of it, or too slow.
    int is_success = result->status >= 200 && result->status < 300;
    if (code != CURLE_OK && !is_success) {
        result->status = 0;
        snprintf(result->failure, sizeof result->failure, "%s", failure[0] ? failure : curl.easy_strerror(code));
    }
}
