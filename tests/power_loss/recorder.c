/*
 * Records, in order, every operation by which files under one directory change, with its data, so that a test can build the directory as
 * it would be found after power loss at any point. Loaded into the server with LD_PRELOAD:
 *
 *   RECORDED_DIRECTORY   the directory, as realpath gives it
 *   RECORDED_LOG         the log, outside of it; several processes, one after the other, append to it
 *
 * Not the functions of libc are replaced, but system calls are trapped, since some libraries make them without libc: a seccomp filter lets
 * the kernel send SIGSYS in place of each call of the list below, and the handler makes the call itself (with MAGIC as its sixth argument,
 * which the filter lets pass), then writes the entry. One lock is held around both, so the order of the log is the truth. A handler runs
 * with all signals blocked, and the calls it makes are not trapped.
 *
 * SIGUSR2 ends the process at once, between two operations: a crash after which the log is exactly what happened.
 *
 * What the recorder does not know how to record ends the process with a message. The test also compares what it replays with the
 * directory that is there, so what is not seen is noticed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "the recorder knows the registers of x86-64 and of aarch64 only"
#endif

#define MAGIC 0x726f6c6c63616c6cul

/* What an entry says. The same numbers are in disk.rs. */
enum kind { OPENED = 1, WRITTEN, LENGTH, SYNCED, RENAMED, LINKED, UNLINKED, MADE, SENT };

/* An entry: this head, then its two texts. */
struct head {
    uint32_t kind;
    uint32_t flags;  /* OPENED: 1: made if it was not there, 2: emptied */
    uint64_t file;   /* the inode number */
    uint64_t offset; /* WRITTEN: where; LENGTH: the length */
    uint32_t first;  /* bytes of the first text: the path, or the bytes written or sent */
    uint32_t second; /* bytes of the second: the path renamed or linked to */
};

static char root[PATH_MAX];
static size_t root_length;
static int log_file = -1;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* The real system call; a negative errno on failure. The filter knows it by its sixth argument. */
static long call(long number, long a, long b, long c, long d, long e) {
    long result = syscall(number, a, b, c, d, e, MAGIC);
    return result == -1 ? -errno : result;
}

static _Noreturn void give_up(const char *what, const char *path) {
    char text[PATH_MAX + 256];
    int length = snprintf(text, sizeof text, "the recorder does not know how to record this: %s %s\n", what, path);
    call(SYS_write, 2, (long)text, length, 0, 0);
    call(SYS_kill, getpid(), SIGKILL, 0, 0, 0);
    _exit(125);
}

static void entry(uint32_t kind, uint32_t flags, uint64_t file, uint64_t offset, const struct iovec *first, int firsts, const char *second) {
    struct iovec parts[IOV_MAX];
    struct head head = {kind, flags, file, offset, 0, second ? strlen(second) : 0};
    if (firsts + 2 > IOV_MAX) give_up("a write in that many parts", "");
    int count = 1;
    size_t total = sizeof head + head.second;
    for (int i = 0; i < firsts; i++) {
        parts[count++] = first[i];
        head.first += first[i].iov_len;
        total += first[i].iov_len;
    }
    parts[count++] = (struct iovec){(void *)second, head.second};
    parts[0] = (struct iovec){&head, sizeof head};
    if (call(SYS_writev, log_file, (long)parts, count, 0, 0) != (long)total) give_up("the log cannot be written", "");
}

static void entry_of_path(uint32_t kind, uint32_t flags, uint64_t file, const char *path, const char *second) {
    struct iovec text = {(void *)path, strlen(path)};
    entry(kind, flags, file, 0, &text, 1, second);
}

static int inside(const char *path) {
    return strncmp(path, root, root_length) == 0 && (path[root_length] == '/' || path[root_length] == 0);
}

/* The path of an open file; false if it has none. */
static int path_of(int fd, char *out) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    long length = call(SYS_readlinkat, AT_FDCWD, (long)link, (long)out, PATH_MAX - 1, 0);
    if (length < 0) return 0;
    out[length] = 0;
    return 1;
}

/* An absolute path from what a call names. It may still hold `.` and such; the replayer refuses those. */
static void absolute(int directory, const char *path, char *out) {
    if (path[0] == '/') {
        snprintf(out, PATH_MAX, "%s", path);
        return;
    }
    char base[PATH_MAX];
    if (directory == AT_FDCWD) {
        if (!getcwd(base, sizeof base)) base[0] = 0;
    } else if (!path_of(directory, base)) {
        base[0] = 0;
    }
    if ((size_t)snprintf(out, PATH_MAX, "%s/%s", base, path) >= PATH_MAX) out[0] = 0;
}

/* Whether the descriptor is a file or directory inside, and which. */
static int recorded(int fd, struct stat *status) {
    char path[PATH_MAX];
    if (fstat(fd, status) != 0 || !(S_ISREG(status->st_mode) || S_ISDIR(status->st_mode))) return 0;
    return path_of(fd, path) && inside(path);
}

static long do_open(int directory, const char *path, int flags, mode_t mode) {
    long fd = call(SYS_openat, directory, (long)path, flags, mode, 0);
    char real[PATH_MAX];
    struct stat status;
    if (fd < 0 || !(flags & (O_CREAT | O_TRUNC)) || !path_of(fd, real) || !inside(real)) return fd;
    if ((flags & O_TMPFILE) == O_TMPFILE) give_up("a file without a name in", real);
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
        entry_of_path(OPENED, (flags & O_CREAT ? 1 : 0) | (flags & O_TRUNC ? 2 : 0), status.st_ino, real, NULL);
    return fd;
}

/* write, pwrite, writev and pwritev; `offset` is -1 where the file's position counts. */
static long do_write(long number, const long *a, const struct iovec *parts, int count, off_t offset) {
    int fd = a[0];
    struct stat status;
    if (!recorded(fd, &status)) return call(number, a[0], a[1], a[2], a[3], a[4]);
    if (offset >= 0 && fcntl(fd, F_GETFL) & O_APPEND) give_up("a write at a position of a file that is appended to", "");
    long written = call(number, a[0], a[1], a[2], a[3], a[4]);
    if (written <= 0) return written;
    /* Afterwards the position is right also for what was appended. */
    if (offset < 0) offset = lseek(fd, 0, SEEK_CUR) - written;
    struct iovec kept[IOV_MAX];
    long left = written;
    int used = 0;
    for (; used < count && left > 0; used++) {
        kept[used] = parts[used];
        if ((long)kept[used].iov_len > left) kept[used].iov_len = left;
        left -= kept[used].iov_len;
    }
    entry(WRITTEN, 0, status.st_ino, offset, kept, used, NULL);
    return written;
}

/* What goes out is recorded before it goes: a receipt is given no earlier than here. */
static void sending(int fd, const struct iovec *parts, int count) {
    struct stat status;
    if (fstat(fd, &status) != 0 || !S_ISSOCK(status.st_mode)) return;
    pthread_mutex_lock(&lock);
    entry(SENT, 0, 0, 0, parts, count, NULL);
    pthread_mutex_unlock(&lock);
}

static long do_length(long number, int fd, off_t length, const long *a) {
    struct stat status;
    long result = call(number, a[0], a[1], a[2], a[3], a[4]);
    if (result == 0 && recorded(fd, &status)) entry(LENGTH, 0, status.st_ino, length, NULL, 0, NULL);
    return result;
}

static long do_sync(long number, int fd) {
    struct stat status;
    long result = call(number, fd, 0, 0, 0, 0);
    if (result == 0 && recorded(fd, &status)) entry(SYNCED, 0, status.st_ino, 0, NULL, 0, NULL);
    return result;
}

static long do_two_paths(uint32_t kind, int from_directory, const char *from, int to_directory, const char *to, unsigned flags) {
    char a[PATH_MAX], b[PATH_MAX];
    absolute(from_directory, from, a);
    absolute(to_directory, to, b);
    if (inside(a) != inside(b)) give_up("a name that comes from or goes to outside", b);
    if (inside(a) && kind == RENAMED && flags & ~1u) give_up("an exchange of names", b);
    if (inside(b) && kind == LINKED && flags) give_up("a link to what is not named", b);
    long result = kind == RENAMED ? call(SYS_renameat2, from_directory, (long)from, to_directory, (long)to, flags)
                                  : call(SYS_linkat, from_directory, (long)from, to_directory, (long)to, flags);
    if (result == 0 && inside(a)) entry_of_path(kind, 0, 0, a, b);
    return result;
}

static long do_unlink(int directory, const char *path, int flags) {
    char a[PATH_MAX];
    absolute(directory, path, a);
    long result = call(SYS_unlinkat, directory, (long)path, flags, 0, 0);
    if (result == 0 && inside(a)) entry_of_path(UNLINKED, 0, 0, a, NULL);
    return result;
}

static long do_mkdir(int directory, const char *path, mode_t mode) {
    char a[PATH_MAX];
    struct stat status;
    absolute(directory, path, a);
    long result = call(SYS_mkdirat, directory, (long)path, mode, 0, 0);
    if (result == 0 && inside(a) && stat(a, &status) == 0) entry_of_path(MADE, 0, status.st_ino, a, NULL);
    return result;
}

/* A call that must not happen inside: made if it is about another place. */
static long do_elsewhere(const char *what, int directory, const char *path, long number, const long *a) {
    char real[PATH_MAX];
    absolute(directory, path, real);
    if (inside(real)) give_up(what, real);
    return call(number, a[0], a[1], a[2], a[3], a[4]);
}

static long perform(long number, const long *a) {
    struct iovec one = {(void *)a[1], a[2]};
    const struct iovec *many = (const struct iovec *)a[1];
    switch (number) {
    case SYS_openat: return do_open(a[0], (const char *)a[1], a[2], a[3]);
    case SYS_write: return do_write(number, a, &one, 1, -1);
    case SYS_pwrite64: return do_write(number, a, &one, 1, a[3]);
    case SYS_writev: return do_write(number, a, many, a[2], -1);
    case SYS_pwritev: return do_write(number, a, many, a[2], a[3]);
    case SYS_ftruncate: return do_length(number, a[0], a[1], a);
    case SYS_fsync:
    case SYS_fdatasync: return do_sync(number, a[0]);
    case SYS_renameat: return do_two_paths(RENAMED, a[0], (const char *)a[1], a[2], (const char *)a[3], 0);
    case SYS_renameat2: return do_two_paths(RENAMED, a[0], (const char *)a[1], a[2], (const char *)a[3], a[4]);
    case SYS_linkat: return do_two_paths(LINKED, a[0], (const char *)a[1], a[2], (const char *)a[3], a[4]);
    case SYS_unlinkat: return do_unlink(a[0], (const char *)a[1], a[2]);
    case SYS_mkdirat: return do_mkdir(a[0], (const char *)a[1], a[2]);
    case SYS_truncate: return do_elsewhere("truncate", AT_FDCWD, (const char *)a[0], number, a);
    case SYS_symlinkat: return do_elsewhere("symlink", a[1], (const char *)a[2], number, a);
    case SYS_mknodat: return do_elsewhere("mknod", a[0], (const char *)a[1], number, a);
#if defined(__x86_64__)
    case SYS_open: return do_open(AT_FDCWD, (const char *)a[0], a[1], a[2]);
    case SYS_creat: return do_open(AT_FDCWD, (const char *)a[0], O_CREAT | O_WRONLY | O_TRUNC, a[1]);
    case SYS_rename: return do_two_paths(RENAMED, AT_FDCWD, (const char *)a[0], AT_FDCWD, (const char *)a[1], 0);
    case SYS_link: return do_two_paths(LINKED, AT_FDCWD, (const char *)a[0], AT_FDCWD, (const char *)a[1], 0);
    case SYS_unlink: return do_unlink(AT_FDCWD, (const char *)a[0], 0);
    case SYS_rmdir: return do_unlink(AT_FDCWD, (const char *)a[0], AT_REMOVEDIR);
    case SYS_mkdir: return do_mkdir(AT_FDCWD, (const char *)a[0], a[1]);
    case SYS_symlink: return do_elsewhere("symlink", AT_FDCWD, (const char *)a[1], number, a);
    case SYS_mknod: return do_elsewhere("mknod", AT_FDCWD, (const char *)a[0], number, a);
#endif
    case SYS_mmap: give_up("a shared writable mapping of a file", "");
    default: give_up("a system call that is trapped for no reason", "");
    }
}

static void on_call(int signal, siginfo_t *info, void *context) {
    (void)signal;
    int kept = errno;
    long number = info->si_syscall;
    mcontext_t *machine = &((ucontext_t *)context)->uc_mcontext;
#if defined(__x86_64__)
    greg_t *registers = machine->gregs;
    long a[5] = {registers[REG_RDI], registers[REG_RSI], registers[REG_RDX], registers[REG_R10], registers[REG_R8]};
#else
    unsigned long long *registers = machine->regs;
    long a[5] = {registers[0], registers[1], registers[2], registers[3], registers[4]};
#endif
    struct stat status;
    long result;
    int writes = number == SYS_write || number == SYS_writev;
    if (number == SYS_sendto || number == SYS_sendmsg || (writes && (fstat(a[0], &status) != 0 || !S_ISREG(status.st_mode)))) {
        struct iovec one = {(void *)a[1], a[2]};
        const struct msghdr *message = (const struct msghdr *)a[1];
        if (number == SYS_sendto || number == SYS_write) sending(a[0], &one, 1);
        else if (number == SYS_writev) sending(a[0], (const struct iovec *)a[1], a[2]);
        else sending(a[0], message->msg_iov, message->msg_iovlen);
        /* Not under the lock, since it may wait. sendto has a sixth argument, the length of an address, which is none on a connection. */
        result = call(number, a[0], a[1], a[2], a[3], a[4]);
    } else {
        pthread_mutex_lock(&lock);
        result = perform(number, a);
        pthread_mutex_unlock(&lock);
    }
#if defined(__x86_64__)
    registers[REG_RAX] = result;
#else
    registers[0] = result;
#endif
    errno = kept;
}

static void on_crash(int signal) {
    (void)signal;
    pthread_mutex_lock(&lock);
    call(SYS_kill, getpid(), SIGKILL, 0, 0, 0);
    for (;;) pause();
}

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define LOAD_LOW(argument) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[argument]))
#define LOAD_HIGH(argument) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[argument]) + 4)
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, what)
#define TRAP(number) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), RETURN(SECCOMP_RET_TRAP)
#define REFUSE(number, with) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), RETURN(SECCOMP_RET_ERRNO | with)

static struct sock_filter filter[] = {
    LOAD(arch), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0), RETURN(SECCOMP_RET_KILL_PROCESS),
    /* What the handler itself calls. */
    LOAD_LOW(5), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)MAGIC, 0, 3),
    LOAD_HIGH(5), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(MAGIC >> 32), 0, 1), RETURN(SECCOMP_RET_ALLOW),
    LOAD(nr),
    /* How files come to be, and their bytes and lengths. */
    TRAP(SYS_openat), TRAP(SYS_write), TRAP(SYS_pwrite64), TRAP(SYS_writev), TRAP(SYS_pwritev), TRAP(SYS_ftruncate), TRAP(SYS_truncate),
    /* What makes them last. sync, syncfs and sync_file_range are not recorded, as if they did nothing. */
    TRAP(SYS_fsync), TRAP(SYS_fdatasync),
    /* Names. */
    TRAP(SYS_renameat2), TRAP(SYS_linkat), TRAP(SYS_unlinkat), TRAP(SYS_mkdirat), TRAP(SYS_symlinkat), TRAP(SYS_mknodat),
#ifdef SYS_renameat
    TRAP(SYS_renameat),
#endif
#if defined(__x86_64__)
    TRAP(SYS_open), TRAP(SYS_creat), TRAP(SYS_rename), TRAP(SYS_link), TRAP(SYS_unlink), TRAP(SYS_rmdir), TRAP(SYS_mkdir),
    TRAP(SYS_symlink), TRAP(SYS_mknod),
#endif
    /* Answers, for the receipts in them. */
    TRAP(SYS_sendto), TRAP(SYS_sendmsg),
    /* Other ways to write, which everybody can do without. */
    REFUSE(SYS_openat2, ENOSYS), REFUSE(SYS_copy_file_range, ENOSYS), REFUSE(SYS_sendfile, EINVAL), REFUSE(SYS_splice, EINVAL),
    REFUSE(SYS_pwritev2, ENOSYS), REFUSE(SYS_io_uring_setup, ENOSYS), REFUSE(SYS_fallocate, EOPNOTSUPP),
    /* A mapping is trapped if it is shared, writable and of a file: nobody sees what is written to it. */
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 1, 0), RETURN(SECCOMP_RET_ALLOW),
    LOAD_LOW(2), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_WRITE, 1, 0), RETURN(SECCOMP_RET_ALLOW),
    LOAD_LOW(3), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, MAP_SHARED | MAP_ANONYMOUS),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MAP_SHARED, 0, 1), RETURN(SECCOMP_RET_TRAP),
    RETURN(SECCOMP_RET_ALLOW),
};

static _Noreturn void unusable(const char *why) {
    perror(why);
    _exit(125);
}

__attribute__((constructor)) static void begin(void) {
    const char *directory = getenv("RECORDED_DIRECTORY"), *log = getenv("RECORDED_LOG");
    if (!directory || !log || !realpath(directory, root)) unusable("RECORDED_DIRECTORY and RECORDED_LOG");
    root_length = strlen(root);
    log_file = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log_file < 0) unusable("RECORDED_LOG");
    struct sigaction traps = {.sa_sigaction = on_call, .sa_flags = SA_SIGINFO};
    struct sigaction crashes = {.sa_handler = on_crash};
    sigfillset(&traps.sa_mask);
    sigfillset(&crashes.sa_mask);
    if (sigaction(SIGSYS, &traps, NULL) != 0 || sigaction(SIGUSR2, &crashes, NULL) != 0) unusable("sigaction");
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        unusable("seccomp");
}
