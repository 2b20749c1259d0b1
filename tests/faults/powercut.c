/* Writes down what a process does to the files below POWERCUT_DIR, so that powercut.py can make the disks that a power
 * cut may leave. Loaded with LD_PRELOAD; POWERCUT_LOG is where it writes. One record:
 *
 *   u8 what | u64 nanoseconds (monotonic) | u64 inode | u64 offset | u32 length of a | u32 length of b | a | b
 *
 * a: a path; b: bytes or a second path. A sync has two records: where it began, and that it came back.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { CREATED = 1, TRUNCATED, WRITTEN, SYNC_BEGAN, SYNCED, RENAMED, UNLINKED, MADE_DIRECTORY, LINKED };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -2;
static char dir[PATH_MAX];
static size_t dir_length;

static void begin(void) {
    const char *name = getenv("POWERCUT_LOG"), *where = getenv("POWERCUT_DIR");
    log_fd = -1;
    if (!name || !where) return;
    log_fd = (int)syscall(SYS_openat, AT_FDCWD, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    dir_length = strlen(where);
    memcpy(dir, where, dir_length + 1);
}

static int is_ours(const char *path) {
    if (log_fd == -2) begin();
    return log_fd >= 0 && strncmp(path, dir, dir_length) == 0 && path[dir_length] == '/' && !strstr(path, "-shm");
}

static void note(uint8_t what, uint64_t inode, uint64_t offset, const char *a, const void *b, size_t b_length) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t at = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    uint32_t lengths[2] = {(uint32_t)strlen(a), (uint32_t)b_length};
    struct iovec parts[7] = {{&what, 1}, {&at, 8}, {&inode, 8}, {&offset, 8}, {lengths, 8}, {(void *)a, lengths[0]},
                             {(void *)b, b_length}};
    if (syscall(SYS_writev, log_fd, parts, 7) < 0) _exit(97);
}

/* The path of an open file, if it is one of ours; with its inode. */
static int of_fd(int fd, char *path, uint64_t *inode) {
    char link[40];
    struct stat found;
    if (log_fd == -2) begin();
    if (log_fd < 0 || fd == log_fd) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0) return 0;
    path[length] = 0;
    if (!is_ours(path) && !(strncmp(path, dir, dir_length) == 0 && path[dir_length] == 0)) return 0;
    if (syscall(SYS_fstat, fd, &found) < 0) return 0;
    *inode = found.st_ino;
    return 1;
}

static int opened(int fd, int flags, int was_there) {
    char path[PATH_MAX];
    uint64_t inode;
    int kept = errno;
    if (fd >= 0 && (flags & (O_CREAT | O_TRUNC)) && of_fd(fd, path, &inode) && is_ours(path)) {
        if (!was_there) note(CREATED, inode, 0, path, "", 0);
        else if (flags & O_TRUNC) note(TRUNCATED, inode, 0, path, "", 0);
    }
    errno = kept;
    return fd;
}

static int open_at(int at, const char *path, int flags, mode_t mode) {
    struct stat found;
    pthread_mutex_lock(&lock);
    int was_there = !(flags & O_CREAT) || syscall(SYS_newfstatat, at, path, &found, 0) == 0;
    int fd = opened((int)syscall(SYS_openat, at, path, flags, mode), flags, was_there);
    pthread_mutex_unlock(&lock);
    return fd;
}

#define MODE(flags) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | O_TMPFILE)) { va_list more; va_start(more, flags); mode = va_arg(more, mode_t); va_end(more); }

int open(const char *path, int flags, ...) { MODE(flags) return open_at(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags) return open_at(AT_FDCWD, path, flags | O_LARGEFILE, mode); }
int openat(int at, const char *path, int flags, ...) { MODE(flags) return open_at(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE(flags) return open_at(at, path, flags, mode); }

static ssize_t write_at(int fd, const void *data, size_t count, off_t offset, int positioned) {
    char path[PATH_MAX];
    uint64_t inode;
    int ours = of_fd(fd, path, &inode);
    if (ours) pthread_mutex_lock(&lock);
    if (!positioned && ours) offset = (off_t)syscall(SYS_lseek, fd, 0, fcntl(fd, F_GETFL) & O_APPEND ? SEEK_END : SEEK_CUR);
    ssize_t done = positioned ? syscall(SYS_pwrite64, fd, data, count, offset) : syscall(SYS_write, fd, data, count);
    int kept = errno;
    if (ours) {
        if (done > 0) note(WRITTEN, inode, (uint64_t)offset, path, data, (size_t)done);
        pthread_mutex_unlock(&lock);
    }
    errno = kept;
    return done;
}

ssize_t write(int fd, const void *data, size_t count) { return write_at(fd, data, count, 0, 0); }
ssize_t pwrite(int fd, const void *data, size_t count, off_t offset) { return write_at(fd, data, count, offset, 1); }
ssize_t pwrite64(int fd, const void *data, size_t count, off64_t offset) { return write_at(fd, data, count, offset, 1); }

static int cut_to(int fd, off_t length) {
    char path[PATH_MAX];
    uint64_t inode;
    int ours = of_fd(fd, path, &inode);
    if (ours) pthread_mutex_lock(&lock);
    int done = (int)syscall(SYS_ftruncate, fd, length);
    int kept = errno;
    if (ours) {
        if (done == 0) note(TRUNCATED, inode, (uint64_t)length, path, "", 0);
        pthread_mutex_unlock(&lock);
    }
    errno = kept;
    return done;
}

int ftruncate(int fd, off_t length) { return cut_to(fd, length); }
int ftruncate64(int fd, off64_t length) { return cut_to(fd, length); }

static int synced(int fd, long call) {
    char path[PATH_MAX];
    uint64_t inode;
    int ours = of_fd(fd, path, &inode);
    if (ours) {
        pthread_mutex_lock(&lock);
        note(SYNC_BEGAN, inode, 0, path, "", 0);
        pthread_mutex_unlock(&lock);
    }
    int done = (int)syscall(call, fd);
    int kept = errno;
    if (ours && done == 0) {
        pthread_mutex_lock(&lock);
        note(SYNCED, inode, 0, path, "", 0);
        pthread_mutex_unlock(&lock);
    }
    errno = kept;
    return done;
}

int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

static int moved(int from_at, const char *from, int to_at, const char *to) {
    struct stat found = {0};
    pthread_mutex_lock(&lock);
    int done = (int)syscall(SYS_renameat, from_at, from, to_at, to);
    int kept = errno;
    if (done == 0 && is_ours(to)) {
        syscall(SYS_newfstatat, to_at, to, &found, 0);
        note(RENAMED, found.st_ino, 0, from, to, strlen(to));
    }
    pthread_mutex_unlock(&lock);
    errno = kept;
    return done;
}

int rename(const char *from, const char *to) { return moved(AT_FDCWD, from, AT_FDCWD, to); }
int renameat(int from_at, const char *from, int to_at, const char *to) { return moved(from_at, from, to_at, to); }

static int linked(int from_at, const char *from, int to_at, const char *to, int flags) {
    struct stat found = {0};
    pthread_mutex_lock(&lock);
    int done = (int)syscall(SYS_linkat, from_at, from, to_at, to, flags);
    int kept = errno;
    if (done == 0 && is_ours(to)) {
        syscall(SYS_newfstatat, to_at, to, &found, 0);
        note(LINKED, found.st_ino, 0, to, "", 0);
    }
    pthread_mutex_unlock(&lock);
    errno = kept;
    return done;
}

int link(const char *from, const char *to) { return linked(AT_FDCWD, from, AT_FDCWD, to, 0); }
int linkat(int from_at, const char *from, int to_at, const char *to, int flags) {
    return linked(from_at, from, to_at, to, flags);
}

static int removed(int at, const char *path, int flags) {
    pthread_mutex_lock(&lock);
    int done = (int)syscall(SYS_unlinkat, at, path, flags);
    int kept = errno;
    if (done == 0 && is_ours(path)) note(UNLINKED, 0, 0, path, "", 0);
    pthread_mutex_unlock(&lock);
    errno = kept;
    return done;
}

int unlink(const char *path) { return removed(AT_FDCWD, path, 0); }
int unlinkat(int at, const char *path, int flags) { return removed(at, path, flags); }
int rmdir(const char *path) { return removed(AT_FDCWD, path, AT_REMOVEDIR); }

static int made(int at, const char *path, mode_t mode) {
    pthread_mutex_lock(&lock);
    int done = (int)syscall(SYS_mkdirat, at, path, mode);
    int kept = errno;
    if (done == 0 && is_ours(path)) note(MADE_DIRECTORY, 0, 0, path, "", 0);
    pthread_mutex_unlock(&lock);
    errno = kept;
    return done;
}

int mkdir(const char *path, mode_t mode) { return made(AT_FDCWD, path, mode); }
int mkdirat(int at, const char *path, mode_t mode) { return made(at, path, mode); }
