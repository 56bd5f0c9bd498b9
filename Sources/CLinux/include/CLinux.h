// Calls and constants of Linux that Swift's Glibc module does not show.
// Thin by rule: every function is one call, returns what the call returned and leaves errno alone.
#ifndef CLINUX_H
#define CLINUX_H

#include <spawn.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// The fields of `struct statx` that accounting needs, in one flat shape.
struct clinux_status {
    uint64_t inode;
    uint64_t device;
    uint64_t rdev;
    uint64_t size;
    uint64_t blocks;  // units of 512 bytes, whatever the block size of the file system
    uint32_t links;
    uint32_t mode;
    uint32_t uid;
    uint32_t gid;
    int64_t ctime_sec;
    int64_t mtime_sec;
    uint32_t ctime_nsec;
    uint32_t mtime_nsec;
};

struct clinux_filesystem {
    uint64_t type;
    uint64_t block_size;
    uint64_t blocks;
    uint64_t free_blocks;
    uint64_t available_blocks;
    uint64_t files;
    uint64_t free_files;
};

/// openat2(2) below `dirfd`, with O_CLOEXEC, the RESOLVE_* flags given; falls to nothing: ENOSYS is returned.
int clinux_openat2(int dirfd, const char *path, uint64_t flags, uint64_t resolve);
/// fstatat(2) without following a symbolic link; an empty name means `dirfd` itself (AT_EMPTY_PATH).
int clinux_status_at(int dirfd, const char *name, struct clinux_status *out);
/// stat(2), following symbolic links: for paths that the operator gave.
int clinux_status_path(const char *path, struct clinux_status *out);
/// fstatat(2), following a symbolic link and mounting nothing: for the links in /proc/PID/fd, which lead to the
/// open file itself.
int clinux_status_behind(int dirfd, const char *name, struct clinux_status *out);
ssize_t clinux_getdents64(int fd, void *buffer, size_t size);

struct clinux_extent {
    uint64_t logical;
    uint64_t physical;
    uint64_t length;
    uint32_t flags;  // CLINUX_EXTENT_*
};

#define CLINUX_EXTENTS 128
/// ioctl(FS_IOC_FIEMAP) from the byte `start` on: up to CLINUX_EXTENTS extents; returns how many, or -1.
int clinux_extents(int fd, uint64_t start, struct clinux_extent *out);
int clinux_fstatfs(int fd, struct clinux_filesystem *out);
int clinux_eventfd(void);
/// pidfd_open(2) of a child that is not waited for yet.
int clinux_pidfd_open(pid_t pid);
/// memfd_create(2), close-on-exec.
int clinux_memfd(const char *name);
/// pipe2(2), close-on-exec.
int clinux_pipe(int ends[2]);
/// posix_spawn_file_actions_addclosefrom_np(3).
int clinux_spawn_close_from(posix_spawn_file_actions_t *actions, int first);
int clinux_set_thread_name(const char *name);
/// unshare(CLONE_NEWNS): gives the calling thread a mount namespace of its own.
int clinux_unshare_mounts(void);
/// ioctl(FIONREAD): bytes that wait in `fd`, or -1.
int clinux_pending_bytes(int fd);
/// mallinfo2: bytes that the process has allocated from the heap.
size_t clinux_allocated_bytes(void);

/// kcmp(2) with KCMP_FILES: 0 where both threads have one table of open files, another number where not, or -1.
int clinux_compare_files(int thread, int other);
/// ioctl(NS_GET_USERNS): a descriptor of the user namespace that owns the namespace `fd`, or -1.
int clinux_namespace_owner(int fd);

extern const uint32_t CLINUX_EXTENT_LAST;
extern const uint32_t CLINUX_EXTENT_SHARED;
extern const uint32_t CLINUX_EXTENT_ENCODED;
/// Not where it will lie, or not in blocks of its own.
extern const uint32_t CLINUX_EXTENT_PLACELESS;
extern const int CLINUX_O_PATH;
extern const uint64_t CLINUX_RESOLVE_BENEATH;
extern const uint64_t CLINUX_RESOLVE_NO_SYMLINKS;
extern const uint64_t CLINUX_RESOLVE_NO_MAGICLINKS;

#endif
