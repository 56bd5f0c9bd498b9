// One POST over HTTP or HTTPS by libcurl, which is loaded when the first is made.
#ifndef CCURL_H
#define CCURL_H

#include <stddef.h>

/// Loads the library. 0, or -1 with the reason in `reason`.
int ccurl_load(char *reason, size_t size);

/// A connection that is kept from one request to the next, for one thread at a time.
typedef struct ccurl_handle ccurl_handle;

/// NULL where there is no memory or no library.
ccurl_handle *ccurl_open(void);
void ccurl_close(ccurl_handle *handle);

struct ccurl_request {
    const char *url;
    /// `NAME: VALUE` each.
    const char *const *headers;
    size_t header_count;
    const void *body;
    size_t body_length;
    /// A file of certificates to trust instead of the system's; NULL for the system's.
    const char *ca_file;
    long connect_timeout_ms;
    /// For the whole exchange.
    long timeout_ms;
    /// Called several times a second; not 0 ends the request.
    int (*is_stopped)(void *context);
    void *context;
    /// Where the beginning of the answer goes; what is longer is not read.
    char *answer;
    size_t answer_capacity;
};

struct ccurl_result {
    /// The status of the answer; 0 where none came.
    long status;
    /// Seconds of Retry-After; 0 where there is none.
    long retry_after;
    size_t answer_length;
    /// Why no answer came; empty where one did.
    char failure[256];
};

/// Sends a request; neither redirects nor any protocol but HTTP and HTTPS are followed.
void ccurl_post(ccurl_handle *handle, const struct ccurl_request *request, struct ccurl_result *result);

#endif
