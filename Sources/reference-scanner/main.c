// What the kernel allows: the sum of st_blocks below a directory by getdents64 and fstatat, and nothing else.
//
//     reference-scanner [-t THREADS] DIR...
//
// Threads take directories from one stack. Names are not kept, hard links are counted once for each name, and
// nothing is guarded against, so that it does less than any scanner that can be trusted.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { BUFFER = 32 << 10 };

struct record {
    uint64_t inode;
    int64_t offset;
    uint16_t length;
    uint8_t type;
    char name[];
};

struct step {
    struct step *next;
    char path[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct step *stack;
static int busy;
static uint64_t blocks, entries;

static struct step *make_step(const char *parent, const char *name) {
    size_t above = strlen(parent), below = strlen(name);
    struct step *step = malloc(sizeof *step + above + below + 2);
    if (!step) abort();
    memcpy(step->path, parent, above);
    step->path[above] = '/';
    memcpy(step->path + above + 1, name, below + 1);
    return step;
}

static struct step *scan(const struct step *step, char *buffer, uint64_t *sum, uint64_t *count) {
    struct step *found = NULL;
    int fd = open(step->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return NULL;
    for (;;) {
        long size = syscall(SYS_getdents64, fd, buffer, (size_t)BUFFER);
        if (size <= 0) break;
        for (long at = 0; at < size;) {
            const struct record *record = (const struct record *)(buffer + at);
            at += record->length;
            const char *name = record->name;
            if (name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]))) continue;
            struct stat status;
            if (fstatat(fd, name, &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
            *sum += (uint64_t)status.st_blocks;
            *count += 1;
            if (!S_ISDIR(status.st_mode)) continue;
            struct step *below = make_step(step->path, name);
            below->next = found;
            found = below;
        }
    }
    close(fd);
    return found;
}

static void *work(void *unused) {
    (void)unused;
    static _Thread_local char buffer[BUFFER] __attribute__((aligned(8)));
    uint64_t sum = 0, count = 0;
    pthread_mutex_lock(&lock);
    for (;;) {
        while (!stack && busy) pthread_cond_wait(&changed, &lock);
        if (!stack) break;
        struct step *step = stack;
        stack = step->next;
        busy++;
        pthread_mutex_unlock(&lock);
        struct step *found = scan(step, buffer, &sum, &count);
        free(step);
        pthread_mutex_lock(&lock);
        busy--;
        while (found) {
            struct step *next = found->next;
            found->next = stack;
            stack = found;
            found = next;
        }
        pthread_cond_broadcast(&changed);
    }
    blocks += sum;
    entries += count;
    pthread_mutex_unlock(&lock);
    return NULL;
}

int main(int count, char **arguments) {
    int threads = 1, option;
    while ((option = getopt(count, arguments, "t:")) != -1) {
        if (option != 't' || (threads = atoi(optarg)) < 1 || threads > 64) {
            fprintf(stderr, "usage: %s [-t THREADS] DIR...\n", arguments[0]);
            return 2;
        }
    }
    for (int i = optind; i < count; i++) {
        struct step *step = make_step(arguments[i], ".");
        step->next = stack;
        stack = step;
    }
    pthread_t others[64];
    for (int i = 1; i < threads; i++) {
        if ((errno = pthread_create(&others[i], NULL, work, NULL))) {
            perror("pthread_create");
            return 1;
        }
    }
    work(NULL);
    for (int i = 1; i < threads; i++) pthread_join(others[i], NULL);
    printf("%llu bytes in %llu entries\n", (unsigned long long)blocks * 512, (unsigned long long)entries);
    return 0;
}
