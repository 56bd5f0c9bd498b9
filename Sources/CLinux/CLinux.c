#define _GNU_SOURCE
#include "CLinux.h"

#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/kcmp.h>
#include <linux/nsfs.h>
#include <linux/openat2.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

const uint32_t CLINUX_EXTENT_LAST = FIEMAP_EXTENT_LAST;
const uint32_t CLINUX_EXTENT_SHARED = FIEMAP_EXTENT_SHARED;
const uint32_t CLINUX_EXTENT_ENCODED = FIEMAP_EXTENT_ENCODED;
const uint32_t CLINUX_EXTENT_PLACELESS =
    FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_DELALLOC | FIEMAP_EXTENT_DATA_INLINE;
const int CLINUX_O_PATH = O_PATH;
const uint64_t CLINUX_RESOLVE_BENEATH = RESOLVE_BENEATH;
const uint64_t CLINUX_RESOLVE_NO_SYMLINKS = RESOLVE_NO_SYMLINKS;
const uint64_t CLINUX_RESOLVE_NO_MAGICLINKS = RESOLVE_NO_MAGICLINKS;

int clinux_extents(int fd, uint64_t start, struct clinux_extent *out) {
    union {
        struct fiemap map;
        char room[sizeof(struct fiemap) + CLINUX_EXTENTS * sizeof(struct fiemap_extent)];
    } request = {.map = {.fm_start = start, .fm_length = FIEMAP_MAX_OFFSET, .fm_extent_count = CLINUX_EXTENTS}};
    if (ioctl(fd, FS_IOC_FIEMAP, &request.map) != 0) return -1;
    for (uint32_t i = 0; i < request.map.fm_mapped_extents; i++) {
        const struct fiemap_extent *extent = &request.map.fm_extents[i];
        out[i] = (struct clinux_extent){
            extent->fe_logical, extent->fe_physical, extent->fe_length, extent->fe_flags};
    }
    return (int)request.map.fm_mapped_extents;
}

int clinux_openat2(int dirfd, const char *path, uint64_t flags, uint64_t resolve) {
    struct open_how how = {.flags = flags | O_CLOEXEC, .mode = 0, .resolve = resolve};
    return (int)syscall(SYS_openat2, dirfd, path, &how, sizeof how);
}

// fstatat rather than statx: measured 3 % faster on a warm cache, and nothing here needs more than stat has.
static void fill(struct clinux_status *out, const struct stat *st) {
    out->inode = st->st_ino;
    out->device = st->st_dev;
    out->rdev = st->st_rdev;
    out->size = (uint64_t)st->st_size;
    out->blocks = (uint64_t)st->st_blocks;
    out->links = (uint32_t)st->st_nlink;
    out->mode = st->st_mode;
    out->uid = st->st_uid;
    out->gid = st->st_gid;
    out->ctime_sec = st->st_ctim.tv_sec;
    out->ctime_nsec = (uint32_t)st->st_ctim.tv_nsec;
    out->mtime_sec = st->st_mtim.tv_sec;
    out->mtime_nsec = (uint32_t)st->st_mtim.tv_nsec;
}

int clinux_status_at(int dirfd, const char *name, struct clinux_status *out) {
    struct stat st;
    int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (name[0] == 0 ? AT_EMPTY_PATH : 0);
    if (fstatat(dirfd, name, &st, flags) != 0) return -1;
    fill(out, &st);
    return 0;
}

int clinux_status_path(const char *path, struct clinux_status *out) {
    struct stat st;
    if (stat(path, &st) != 0) return -1;
    fill(out, &st);
    return 0;
}

int clinux_status_behind(int dirfd, const char *name, struct clinux_status *out) {
    struct stat st;
    if (fstatat(dirfd, name, &st, AT_NO_AUTOMOUNT) != 0) return -1;
    fill(out, &st);
    return 0;
}

ssize_t clinux_getdents64(int fd, void *buffer, size_t size) {
    return syscall(SYS_getdents64, fd, buffer, size);
}

int clinux_fstatfs(int fd, struct clinux_filesystem *out) {
    struct statfs fs;
    if (fstatfs(fd, &fs) != 0) return -1;
    out->type = (uint64_t)fs.f_type;
    out->block_size = (uint64_t)(fs.f_frsize ? fs.f_frsize : fs.f_bsize);
    out->blocks = fs.f_blocks;
    out->free_blocks = fs.f_bfree;
    out->available_blocks = fs.f_bavail;
    out->files = fs.f_files;
    out->free_files = fs.f_ffree;
    return 0;
}

int clinux_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
int clinux_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }
int clinux_memfd(const char *name) { return memfd_create(name, MFD_CLOEXEC); }
int clinux_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }
int clinux_spawn_close_from(posix_spawn_file_actions_t *actions, int first) {
    return posix_spawn_file_actions_addclosefrom_np(actions, first);
}
int clinux_set_thread_name(const char *name) { return pthread_setname_np(pthread_self(), name); }
int clinux_unshare_mounts(void) { return unshare(CLONE_NEWNS); }

int clinux_pending_bytes(int fd) {
    int pending = 0;
    return ioctl(fd, FIONREAD, &pending) == 0 ? pending : -1;
}

size_t clinux_allocated_bytes(void) {
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}
int clinux_compare_files(int thread, int other) {
    return (int)syscall(SYS_kcmp, thread, other, KCMP_FILES, 0, 0);
}

int clinux_namespace_owner(int fd) { return ioctl(fd, NS_GET_USERNS); }
