/*
 * Stands between a program and the C library (LD_PRELOAD) and spoils what the program does to its disk.
 *
 * It watches the calls that change what is under one folder, the root, counts them, and does something at the n-th. The
 * program is the real one, unchanged: its own steps, SQLite's and DuckDB's are all calls to the C library.
 *
 *   SELVEDGE_FAULT_ROOT   the root, as an absolute path without links; without it, nothing is watched
 *   SELVEDGE_FAULT        ACTION CLASS N, apart by spaces; without it, nothing is spoiled
 *   SELVEDGE_FAULT_SEED   decides how many bytes are the first of a write
 *   SELVEDGE_FAULT_LOG    a file outside the root: one line for each call that was made, in their order
 *   SELVEDGE_FAULT_DATA   a file outside the root: the bytes of all writes, one after the other
 *   SELVEDGE_FAULT_TOLD   a file outside the root: what is written to it is in the log too, so that its place among
 *                         the calls is known
 *   SELVEDGE_FAULT_SYNC   `skip`: fsync only says that it was done; for faults that leave the machine running
 *
 * ACTION  kill        the process kills itself (SIGKILL) in place of the call
 *         cut         it writes the first of the bytes, then kills itself; in place of another call than a write, at once
 *         short       the call writes the first of the bytes and says so; another call than a write is made as it is
 *         eio enospc          the call fails with that error, this one time
 *         eio-on enospc-on    so does every later call of the class
 *         none        nothing
 * CLASS   any         every call below, but for an open that changes nothing
 *         open write fsync resize rename link unlink mkdir
 * N       from 1
 *
 * The log says what was done, in words apart by tabs: see the calls of `note`. The line of a fault begins with `!`. Log and
 * data say what was on the disk at any moment, and what of it an fsync had made durable: disk.rs makes of that what a power
 * failure leaves. Memory that is mapped is not seen; SQLite's index of its log (-shm) is of no worth after a failure.
 *
 * For 64-bit Linux with glibc. Everything here goes to the system directly, so that nothing comes back here.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum class { OPEN, WRITE, FSYNC, RESIZE, RENAME, LINK, UNLINK, MKDIR, CLASSES, ANY };
static const char *const class_names[] = {"open", "write", "fsync", "resize", "rename", "link", "unlink", "mkdir", "", "any"};

static char root[PATH_MAX];
static size_t root_length; /* 0: nothing is watched */
static char told_path[PATH_MAX];
static int log_file = -1, data_file = -1;
static int skips_sync;

static char action[16] = "none";
static enum class wanted = ANY;
static long wanted_number;
static int fails_on;
static unsigned long seed;

/* Held during a call that is watched: so the calls have an order, and it is that of the log. */
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static long changing[CLASSES]; /* calls of each class that may change something */
static long changing_any;      /* of all classes */
static long opening;           /* opens, also those that change nothing */

/* ---- What is watched, and what is told of it. ---- */

static int is_watched(const char *path) {
    return root_length && strncmp(path, root, root_length) == 0 && (path[root_length] == '/' || path[root_length] == 0);
}

static const char *relative(const char *path) { return path[root_length] == '/' ? path + root_length + 1 : "."; }

/* The path of an open file. Of one without a name any more it ends in " (deleted)". */
static int path_of(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    long length = syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX - 1);
    path[length > 0 ? length : 0] = 0;
    return length > 0;
}

/* The absolute path of one that may be relative. Folders on the way are taken as they are called, without links or dots. */
static int path_at(int folder, const char *given, char *path) {
    if (!given) return 0;
    if (given[0] == '/') return snprintf(path, PATH_MAX, "%s", given) < PATH_MAX;
    char base[PATH_MAX];
    if (folder == AT_FDCWD) {
        if (syscall(SYS_getcwd, base, sizeof base) < 0) return 0;
    } else if (!path_of(folder, base)) {
        return 0;
    }
    return snprintf(path, PATH_MAX, "%s/%s", base, given) < PATH_MAX;
}

static void put(int file, const void *bytes, size_t length) {
    for (const char *at = bytes; length > 0;) {
        long written = syscall(SYS_write, file, at, length);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) syscall(SYS_exit_group, 99); /* A log with a hole is worth nothing. */
        at += written, length -= written;
    }
}

__attribute__((format(printf, 1, 2))) static void note(const char *format, ...) {
    if (log_file < 0) return;
    char line[3 * PATH_MAX];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    put(log_file, line, length);
}

static unsigned long inode_of(int fd) {
    struct stat file;
    return syscall(SYS_fstat, fd, &file) == 0 ? file.st_ino : 0;
}

static unsigned long inode_at(const char *path) {
    struct stat file;
    return syscall(SYS_newfstatat, AT_FDCWD, path, &file, AT_SYMLINK_NOFOLLOW) == 0 ? file.st_ino : 0;
}

/* ---- The fault. ---- */

static void die(void) {
    syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
    for (;;) pause();
}

/* Counts a call, and tells whether the fault is for it. `changes` says whether it may change anything. */
static int is_due(enum class class, int changes) {
    long number = 0;
    if (class == OPEN) opening++;
    if (changes) changing[class]++, changing_any++;
    if (wanted == OPEN && class == OPEN) number = opening;
    else if (wanted == ANY && changes) number = changing_any;
    else if (wanted == class && changes) number = changing[class];
    return number > 0 && (number == wanted_number || (fails_on && number > wanted_number));
}

/* Begins a call: takes its turn, and fails it if that is due. Returns how it goes on. */
enum outcome { AS_IT_IS, FAILED, FIRST_BYTES };

static enum outcome begin(enum class class, const char *path, int changes) {
    pthread_mutex_lock(&turn);
    if (!is_due(class, changes) || strcmp(action, "none") == 0) return AS_IT_IS;
    note("!\t%s\t%s\t%s\n", action, class_names[class], relative(path));
    if (strcmp(action, "kill") == 0) die();
    if (strcmp(action, "cut") == 0 && class != WRITE) die();
    if (strcmp(action, "cut") == 0 || strcmp(action, "short") == 0) return FIRST_BYTES;
    errno = strncmp(action, "enospc", 6) == 0 ? ENOSPC : EIO;
    return FAILED;
}

static long end(long result) {
    int error = errno;
    pthread_mutex_unlock(&turn);
    errno = error;
    return result;
}

/* ---- Before the program. ---- */

static int outside(const char *variable) {
    const char *path = getenv(variable);
    if (!path) return -1;
    return syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

__attribute__((constructor)) static void start(void) {
    const char *folder = getenv("SELVEDGE_FAULT_ROOT"), *fault = getenv("SELVEDGE_FAULT");
    const char *sync = getenv("SELVEDGE_FAULT_SYNC"), *told = getenv("SELVEDGE_FAULT_TOLD"), *number = getenv("SELVEDGE_FAULT_SEED");
    if (!folder) return;
    char class[16] = "any";
    if (fault && sscanf(fault, "%15s %15s %ld", action, class, &wanted_number) != 3) syscall(SYS_exit_group, 98);
    for (wanted = OPEN; wanted < ANY && strcmp(class, class_names[wanted]) != 0;) wanted++;
    fails_on = strlen(action) > 3 && strcmp(action + strlen(action) - 3, "-on") == 0;
    seed = number ? strtoul(number, 0, 10) : 0;
    skips_sync = sync && strcmp(sync, "skip") == 0;
    snprintf(told_path, sizeof told_path, "%s", told ? told : "");
    log_file = outside("SELVEDGE_FAULT_LOG");
    data_file = outside("SELVEDGE_FAULT_DATA");
    snprintf(root, sizeof root, "%s", folder);
    root_length = strlen(root);
}

/* ---- Opening. ---- */

static int do_open(int folder, const char *given, int flags, mode_t mode) {
    char path[PATH_MAX];
    if (!path_at(folder, given, path) || !is_watched(path)) return syscall(SYS_openat, folder, given, flags, mode);
    int makes = (flags & O_CREAT) && inode_at(path) == 0;
    int empties = !makes && (flags & O_TRUNC) && (flags & O_ACCMODE) != O_RDONLY;
    if (begin(OPEN, path, makes || empties) == FAILED) return end(-1);
    long fd = syscall(SYS_openat, folder, given, flags, mode);
    if (fd >= 0 && makes) note("make\t%lu\t%s\n", inode_of(fd), relative(path));
    if (fd >= 0 && empties) note("resize\t%lu\t0\t%s\n", inode_of(fd), relative(path));
    return end(fd);
}

#define OPEN_AT(folder, path, flags)                       \
    {                                                      \
        mode_t mode = 0;                                   \
        if ((flags) & (O_CREAT | __O_TMPFILE)) {           \
            va_list arguments;                             \
            va_start(arguments, flags);                    \
            mode = va_arg(arguments, mode_t);              \
            va_end(arguments);                             \
        }                                                  \
        return do_open(folder, path, flags, mode);         \
    }

int open(const char *path, int flags, ...) OPEN_AT(AT_FDCWD, path, flags)
int open64(const char *path, int flags, ...) OPEN_AT(AT_FDCWD, path, flags)
int openat(int folder, const char *path, int flags, ...) OPEN_AT(folder, path, flags)
int openat64(int folder, const char *path, int flags, ...) OPEN_AT(folder, path, flags)
int creat(const char *path, mode_t mode) { return do_open(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return creat(path, mode); }

/* ---- Writing. ---- */

/* Writes in one piece, at the place of the file if `offset` is -1. */
static long write_at(int fd, const void *bytes, size_t length, off_t offset) {
    return offset < 0 ? syscall(SYS_write, fd, bytes, length) : syscall(SYS_pwrite64, fd, bytes, length, offset);
}

/* Where the next write without an offset goes. */
static off_t place_of(int fd) {
    struct stat file;
    if ((syscall(SYS_fcntl, fd, F_GETFL) & O_APPEND) && syscall(SYS_fstat, fd, &file) == 0) return file.st_size;
    return syscall(SYS_lseek, fd, 0, SEEK_CUR);
}

/* How many bytes of a write are written that is cut off: at least one, of long ones some pages, as a kill leaves them. */
static size_t first_of(size_t length) {
    const size_t page = 4096;
    if (length <= page) return length > 1 ? length / 2 : length;
    return page * (1 + seed % ((length - 1) / page));
}

static long tell(int fd, const void *bytes, size_t length) {
    pthread_mutex_lock(&turn);
    long told = syscall(SYS_write, fd, bytes, length);
    note("told\t%.*s", (int)length, (const char *)bytes);
    return end(told);
}

static long do_write(int fd, const void *bytes, size_t length, off_t offset) {
    char path[PATH_MAX];
    if (!root_length || !path_of(fd, path)) return write_at(fd, bytes, length, offset);
    if (told_path[0] && strcmp(path, told_path) == 0) return tell(fd, bytes, length);
    if (!is_watched(path)) return write_at(fd, bytes, length, offset);
    enum outcome outcome = begin(WRITE, path, 1);
    if (outcome == FAILED) return end(-1);
    if (outcome == FIRST_BYTES) length = first_of(length);
    off_t at = offset < 0 ? place_of(fd) : offset;
    long written = write_at(fd, bytes, length, offset);
    if (written > 0) {
        if (data_file >= 0) put(data_file, bytes, written);
        note("write\t%lu\t%ld\t%ld\t%s\n", inode_of(fd), (long)at, written, relative(path));
    }
    if (outcome == FIRST_BYTES && strcmp(action, "cut") == 0) die();
    return end(written);
}

/* Several pieces are written as one, which is what the caller meant. */
static long do_writev(int fd, const struct iovec *pieces, int count, off_t offset) {
    size_t length = 0;
    for (int piece = 0; piece < count; piece++) length += pieces[piece].iov_len;
    char *bytes = malloc(length ? length : 1), *at = bytes;
    if (!bytes) return errno = ENOMEM, -1;
    for (int piece = 0; piece < count; at += pieces[piece++].iov_len) memcpy(at, pieces[piece].iov_base, pieces[piece].iov_len);
    long written = do_write(fd, bytes, length, offset);
    int error = errno;
    free(bytes);
    errno = error;
    return written;
}

ssize_t write(int fd, const void *bytes, size_t length) { return do_write(fd, bytes, length, -1); }
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) { return do_write(fd, bytes, length, offset); }
ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t offset) { return do_write(fd, bytes, length, offset); }
ssize_t writev(int fd, const struct iovec *pieces, int count) { return do_writev(fd, pieces, count, -1); }
ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t offset) { return do_writev(fd, pieces, count, offset); }
ssize_t pwritev64(int fd, const struct iovec *pieces, int count, off_t offset) { return do_writev(fd, pieces, count, offset); }

/* ---- Making durable. ---- */

static int do_sync(int number, int fd) {
    char path[PATH_MAX];
    if (!root_length || !path_of(fd, path) || !is_watched(path)) return syscall(number, fd);
    long result = begin(FSYNC, path, 1) == FAILED ? -1 : skips_sync ? 0 : syscall(number, fd);
    int error = errno;
    /* One that failed is told too: what it was to make durable may never be. */
    note("fsync\t%ld\t%lu\t%s\n", result, inode_of(fd), relative(path));
    errno = error;
    return end(result);
}

int fsync(int fd) { return do_sync(SYS_fsync, fd); }
int fdatasync(int fd) { return do_sync(SYS_fdatasync, fd); }

/* ---- Growing and shrinking. ---- */

static int do_truncate(int fd, off_t length) {
    char path[PATH_MAX];
    if (!root_length || !path_of(fd, path) || !is_watched(path)) return syscall(SYS_ftruncate, fd, length);
    if (begin(RESIZE, path, 1) == FAILED) return end(-1);
    long result = syscall(SYS_ftruncate, fd, length);
    if (result == 0) note("resize\t%lu\t%ld\t%s\n", inode_of(fd), (long)length, relative(path));
    return end(result);
}

static int do_allocate(int fd, int mode, off_t offset, off_t length) {
    char path[PATH_MAX];
    if (!root_length || !path_of(fd, path) || !is_watched(path)) return syscall(SYS_fallocate, fd, mode, offset, length);
    if (begin(RESIZE, path, 1) == FAILED) return end(-1);
    long result = syscall(SYS_fallocate, fd, mode, offset, length);
    if (result == 0) note("allocate\t%lu\t%d\t%ld\t%ld\t%s\n", inode_of(fd), mode, (long)offset, (long)length, relative(path));
    return end(result);
}

int ftruncate(int fd, off_t length) { return do_truncate(fd, length); }
int ftruncate64(int fd, off_t length) { return do_truncate(fd, length); }
int fallocate(int fd, int mode, off_t offset, off_t length) { return do_allocate(fd, mode, offset, length); }
int fallocate64(int fd, int mode, off_t offset, off_t length) { return do_allocate(fd, mode, offset, length); }
/* These two return the error. */
int posix_fallocate(int fd, off_t offset, off_t length) { return do_allocate(fd, 0, offset, length) == 0 ? 0 : errno; }
int posix_fallocate64(int fd, off_t offset, off_t length) { return do_allocate(fd, 0, offset, length) == 0 ? 0 : errno; }

/* ---- The entries of folders. ---- */

static int do_rename(int old_folder, const char *old_given, int new_folder, const char *new_given, unsigned flags) {
    char old[PATH_MAX], new[PATH_MAX];
    if (!path_at(old_folder, old_given, old) || !path_at(new_folder, new_given, new) || !is_watched(new))
        return syscall(SYS_renameat2, old_folder, old_given, new_folder, new_given, flags);
    if (begin(RENAME, new, 1) == FAILED) return end(-1);
    long result = syscall(SYS_renameat2, old_folder, old_given, new_folder, new_given, flags);
    if (result == 0) note("rename\t%s\t%s\n", relative(old), relative(new));
    return end(result);
}

int rename(const char *old, const char *new) { return do_rename(AT_FDCWD, old, AT_FDCWD, new, 0); }
int renameat(int old_folder, const char *old, int new_folder, const char *new) {
    return do_rename(old_folder, old, new_folder, new, 0);
}
int renameat2(int old_folder, const char *old, int new_folder, const char *new, unsigned flags) {
    return do_rename(old_folder, old, new_folder, new, flags);
}

static int do_link(int old_folder, const char *old_given, int new_folder, const char *new_given, int flags) {
    char old[PATH_MAX], new[PATH_MAX];
    if (!path_at(old_folder, old_given, old) || !path_at(new_folder, new_given, new) || !is_watched(new))
        return syscall(SYS_linkat, old_folder, old_given, new_folder, new_given, flags);
    if (begin(LINK, new, 1) == FAILED) return end(-1);
    long result = syscall(SYS_linkat, old_folder, old_given, new_folder, new_given, flags);
    if (result == 0) note("link\t%s\t%s\n", relative(old), relative(new));
    return end(result);
}

int link(const char *old, const char *new) { return do_link(AT_FDCWD, old, AT_FDCWD, new, 0); }
int linkat(int old_folder, const char *old, int new_folder, const char *new, int flags) {
    return do_link(old_folder, old, new_folder, new, flags);
}

static int do_symlink(const char *target, int folder, const char *given) {
    char path[PATH_MAX];
    if (!path_at(folder, given, path) || !is_watched(path)) return syscall(SYS_symlinkat, target, folder, given);
    if (begin(LINK, path, 1) == FAILED) return end(-1);
    long result = syscall(SYS_symlinkat, target, folder, given);
    if (result == 0) note("symlink\t%s\t%s\n", target, relative(path));
    return end(result);
}

int symlink(const char *target, const char *path) { return do_symlink(target, AT_FDCWD, path); }
int symlinkat(const char *target, int folder, const char *path) { return do_symlink(target, folder, path); }

static int do_unlink(int folder, const char *given, int flags) {
    char path[PATH_MAX];
    if (!path_at(folder, given, path) || !is_watched(path)) return syscall(SYS_unlinkat, folder, given, flags);
    /* To remove what is not there changes nothing. */
    if (begin(UNLINK, path, inode_at(path) != 0) == FAILED) return end(-1);
    long result = syscall(SYS_unlinkat, folder, given, flags);
    if (result == 0) note("unlink\t%s\n", relative(path));
    return end(result);
}

int unlink(const char *path) { return do_unlink(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return do_unlink(AT_FDCWD, path, AT_REMOVEDIR); }
int unlinkat(int folder, const char *path, int flags) { return do_unlink(folder, path, flags); }
/* The library's own would call its own unlink. */
int remove(const char *path) {
    int result = unlink(path);
    return result < 0 && errno == EISDIR ? rmdir(path) : result;
}

static int do_mkdir(int folder, const char *given, mode_t mode) {
    char path[PATH_MAX];
    if (!path_at(folder, given, path) || !is_watched(path)) return syscall(SYS_mkdirat, folder, given, mode);
    if (begin(MKDIR, path, inode_at(path) == 0) == FAILED) return end(-1);
    long result = syscall(SYS_mkdirat, folder, given, mode);
    if (result == 0) note("mkdir\t%s\n", relative(path));
    return end(result);
}

int mkdir(const char *path, mode_t mode) { return do_mkdir(AT_FDCWD, path, mode); }
int mkdirat(int folder, const char *path, mode_t mode) { return do_mkdir(folder, path, mode); }
