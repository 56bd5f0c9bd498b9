#include "CSystemd.h"

// The macros that add CODE_FILE= would rename what is looked up.
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>

static __typeof__(&sd_notify) notify;
static __typeof__(&sd_watchdog_enabled) watchdog_enabled;
static __typeof__(&sd_listen_fds_with_names) listen_fds_with_names;
static __typeof__(&sd_is_socket) is_socket;
static __typeof__(&sd_journal_sendv) journal_sendv;

static void load(void) {
    void *library = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
    if (!library) return;
    notify = (__typeof__(notify))dlsym(library, "sd_notify");
    watchdog_enabled = (__typeof__(watchdog_enabled))dlsym(library, "sd_watchdog_enabled");
    listen_fds_with_names = (__typeof__(listen_fds_with_names))dlsym(library, "sd_listen_fds_with_names");
    is_socket = (__typeof__(is_socket))dlsym(library, "sd_is_socket");
    journal_sendv = (__typeof__(journal_sendv))dlsym(library, "sd_journal_sendv");
}

static void load_once(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
}

int csystemd_notify(int unset_environment, const char *state) {
    load_once();
    return notify ? notify(unset_environment, state) : -ENOENT;
}

int csystemd_watchdog_enabled(int unset_environment, uint64_t *microseconds) {
    load_once();
    return watchdog_enabled ? watchdog_enabled(unset_environment, microseconds) : -ENOENT;
}

int csystemd_listen_fds_with_names(int unset_environment, char ***names) {
    load_once();
    if (listen_fds_with_names) return listen_fds_with_names(unset_environment, names);
    return getenv("LISTEN_FDS") ? -ENOENT : 0;
}

int csystemd_is_socket(int fd, int family, int type, int listening) {
    load_once();
    return is_socket ? is_socket(fd, family, type, listening) : -ENOENT;
}

int csystemd_journal_sendv(const struct iovec *fields, int count) {
    load_once();
    return journal_sendv ? journal_sendv(fields, count) : -ENOENT;
}
