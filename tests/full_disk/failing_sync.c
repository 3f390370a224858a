/*
 * A disk whose syncs fail: while the file FAILING_SYNC is there, fsync and fdatasync of regular files answer EIO. Loaded into the server with
 * LD_PRELOAD; what it calls goes through libc.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int sync_by(long number, int fd) {
    const char *failing = getenv("FAILING_SYNC");
    struct stat status;
    if (failing && access(failing, F_OK) == 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
        errno = EIO;
        return -1;
    }
    return syscall(number, fd);
}

int fsync(int fd) { return sync_by(SYS_fsync, fd); }

int fdatasync(int fd) { return sync_by(SYS_fdatasync, fd); }
