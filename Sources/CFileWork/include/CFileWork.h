// Calls by which the tests' programs work on files and that Swift's Glibc module does not show.
// Thin by rule: every function is one call, returns what the call returned and leaves errno alone.
#ifndef CFILEWORK_H
#define CFILEWORK_H

#include <stddef.h>
#include <sys/types.h>

int cfilework_allocate_keeping_size(int fd, off_t offset, off_t length);
int cfilework_punch_hole(int fd, off_t offset, off_t length);
int cfilework_collapse_range(int fd, off_t offset, off_t length);
/// renameat2(RENAME_EXCHANGE).
int cfilework_exchange(const char *first, const char *second);
int cfilework_set_attribute(const char *path, const char *name, const void *value, size_t size);
int cfilework_remove_attribute(const char *path, const char *name);
/// open(O_TMPFILE | O_RDWR).
int cfilework_open_nameless(const char *directory);
/// linkat of an open file, also of one that never had a name.
int cfilework_link_open(int fd, const char *path);
/// ioctl(FICLONE).
int cfilework_clone(int destination, int source);
ssize_t cfilework_copy_range(int destination, int source, size_t length);
int cfilework_sync_file_system(int fd);

#endif
