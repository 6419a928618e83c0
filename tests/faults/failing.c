/* The n-th call of the system on a folder fails: interposed between a program and libc.
 *
 * fail(folder, n, error, kinds) arms it, n = 0 disarms it; it returns the calls since it was last
 * armed. kinds: READS | WRITES | LOCKS. The call fails once, as on a disk that fails for a moment.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum { READS = 1, WRITES = 2, LOCKS = 4 };

static char folder[4096];
static long wanted, count;
static int error_code, failing_kinds;

long fail(const char *path, long nth, int error, int kinds) {
    long before = count;
    snprintf(folder, sizeof folder, "%s", path);
    error_code = error, failing_kinds = kinds, count = 0;
    __atomic_store_n(&wanted, nth, __ATOMIC_SEQ_CST);
    return before;
}

static int fails(const char *path, int kind) {
    if (!wanted || !path || !(kind & failing_kinds)) return 0;
    if (strncmp(path, folder, strlen(folder))) return 0;
    if (__atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST) != wanted) return 0;
    errno = error_code;
    return 1;
}

static int fails_at(int descriptor, int kind) {
    char link[64], path[4096];
    if (!wanted || !(kind & failing_kinds)) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return fails(path, kind);
}

static int fails_in(int at, const char *path, int kind) {
    return path && path[0] == '/' ? fails(path, kind) : fails_at(at, kind);
}

#define NEXT(type, name, ...) \
    static type (*next)(__VA_ARGS__); \
    if (!next) next = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        va_list rest; va_start(rest, flags); \
        mode_t mode = va_arg(rest, mode_t); va_end(rest); \
        NEXT(int, #name, const char *, int, mode_t); \
        return fails(path, flags & O_CREAT ? WRITES : READS) ? -1 : next(path, flags, mode); \
    }
OPEN(open)
OPEN(open64)

#define OPEN_AT(name) \
    int name(int at, const char *path, int flags, ...) { \
        va_list rest; va_start(rest, flags); \
        mode_t mode = va_arg(rest, mode_t); va_end(rest); \
        NEXT(int, #name, int, const char *, int, mode_t); \
        return fails_in(at, path, flags & O_CREAT ? WRITES : READS) ? -1 : next(at, path, flags, mode); \
    }
OPEN_AT(openat)
OPEN_AT(openat64)

#define ON_DESCRIPTOR(type, name, kind, parameters, arguments, ...) \
    type name parameters { \
        NEXT(type, #name, __VA_ARGS__); \
        return fails_at(descriptor, kind) ? -1 : next arguments; \
    }
ON_DESCRIPTOR(ssize_t, read, READS, (int descriptor, void *to, size_t n), (descriptor, to, n), int, void *, size_t)
ON_DESCRIPTOR(ssize_t, pread, READS, (int descriptor, void *to, size_t n, off_t at), (descriptor, to, n, at), int, void *, size_t, off_t)
ON_DESCRIPTOR(ssize_t, pread64, READS, (int descriptor, void *to, size_t n, off_t at), (descriptor, to, n, at), int, void *, size_t, off_t)
ON_DESCRIPTOR(ssize_t, write, WRITES, (int descriptor, const void *from, size_t n), (descriptor, from, n), int, const void *, size_t)
ON_DESCRIPTOR(ssize_t, pwrite, WRITES, (int descriptor, const void *from, size_t n, off_t at), (descriptor, from, n, at), int, const void *, size_t, off_t)
ON_DESCRIPTOR(ssize_t, pwrite64, WRITES, (int descriptor, const void *from, size_t n, off_t at), (descriptor, from, n, at), int, const void *, size_t, off_t)
ON_DESCRIPTOR(int, fsync, WRITES, (int descriptor), (descriptor), int)
ON_DESCRIPTOR(int, fdatasync, WRITES, (int descriptor), (descriptor), int)
ON_DESCRIPTOR(int, ftruncate, WRITES, (int descriptor, off_t n), (descriptor, n), int, off_t)
ON_DESCRIPTOR(int, ftruncate64, WRITES, (int descriptor, off_t n), (descriptor, n), int, off_t)
ON_DESCRIPTOR(int, flock, LOCKS, (int descriptor, int how), (descriptor, how), int, int)

#define LOCK(name) \
    int name(int descriptor, int what, ...) { \
        va_list rest; va_start(rest, what); \
        void *argument = va_arg(rest, void *); va_end(rest); \
        NEXT(int, #name, int, int, void *); \
        int locks = what == F_SETLK || what == F_SETLKW || what == F_OFD_SETLK; \
        return locks && fails_at(descriptor, LOCKS) ? -1 : next(descriptor, what, argument); \
    }
LOCK(fcntl)
LOCK(fcntl64)

#define ON_PATH(name, kind, parameters, arguments, ...) \
    int name parameters { \
        NEXT(int, #name, __VA_ARGS__); \
        return fails(path, kind) ? -1 : next arguments; \
    }
ON_PATH(mkdir, WRITES, (const char *path, mode_t mode), (path, mode), const char *, mode_t)
ON_PATH(rmdir, WRITES, (const char *path), (path), const char *)
ON_PATH(unlink, WRITES, (const char *path), (path), const char *)
ON_PATH(rename, WRITES, (const char *path, const char *to), (path, to), const char *, const char *)
ON_PATH(stat, READS, (const char *path, struct stat *to), (path, to), const char *, struct stat *)
ON_PATH(stat64, READS, (const char *path, struct stat64 *to), (path, to), const char *, struct stat64 *)
ON_PATH(lstat, READS, (const char *path, struct stat *to), (path, to), const char *, struct stat *)
ON_PATH(lstat64, READS, (const char *path, struct stat64 *to), (path, to), const char *, struct stat64 *)
