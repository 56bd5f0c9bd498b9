// The calls of libsystemd, found in the library when the first is made: a program that makes none, as one that
// prints its help, need not load it and the libraries that it needs.
// Each is the call of the same name (sd_notify(3) and so on); -ENOENT where the library is not there.
// Without passed sockets csystemd_listen_fds_with_names returns 0 then as well.
#ifndef CSYSTEMD_H
#define CSYSTEMD_H

#include <stdint.h>
#include <sys/uio.h>

int csystemd_notify(int unset_environment, const char *state);
int csystemd_watchdog_enabled(int unset_environment, uint64_t *microseconds);
int csystemd_listen_fds_with_names(int unset_environment, char ***names);
int csystemd_is_socket(int fd, int family, int type, int listening);
int csystemd_journal_sendv(const struct iovec *fields, int count);

#endif
