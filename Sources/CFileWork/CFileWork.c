#define _GNU_SOURCE
#include "CFileWork.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>
#include <unistd.h>

int cfilework_allocate_keeping_size(int fd, off_t offset, off_t length) {
    return fallocate(fd, FALLOC_FL_KEEP_SIZE, offset, length);
}

int cfilework_punch_hole(int fd, off_t offset, off_t length) {
    return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length);
}

int cfilework_collapse_range(int fd, off_t offset, off_t length) {
    return fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, offset, length);
}

int cfilework_exchange(const char *first, const char *second) {
    return renameat2(AT_FDCWD, first, AT_FDCWD, second, RENAME_EXCHANGE);
}

int cfilework_set_attribute(const char *path, const char *name, const void *value, size_t size) {
    return lsetxattr(path, name, value, size, 0);
}

int cfilework_remove_attribute(const char *path, const char *name) { return lremovexattr(path, name); }

int cfilework_open_nameless(const char *directory) {
    return open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);
}

int cfilework_link_open(int fd, const char *path) {
    char name[32];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    return linkat(AT_FDCWD, name, AT_FDCWD, path, AT_SYMLINK_FOLLOW);
}

int cfilework_clone(int destination, int source) { return ioctl(destination, FICLONE, source); }

ssize_t cfilework_copy_range(int destination, int source, size_t length) {
    return copy_file_range(source, NULL, destination, NULL, length, 0);
}

int cfilework_sync_file_system(int fd) { return syncfs(fd); }
