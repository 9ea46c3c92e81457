// Sets the wall clock of the processes that load it (LD_PRELOAD) ahead by the seconds in the file WALL_CLOCK, which may
// change at any moment. Clocks that only count on are left alone, as when a machine's clock is set.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile long long *ahead;
static int (*original)(clockid_t, struct timespec *);

static void find(void) {
    int file;
    const char *path = getenv("WALL_CLOCK");
    static const long long none = 0;

    if (ahead != NULL)
        return;
    original = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    file = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    void *page = file < 0 ? MAP_FAILED : mmap(NULL, sizeof *ahead, PROT_READ, MAP_SHARED, file, 0);
    ahead = page == MAP_FAILED ? &none : page;
    if (file >= 0)
        close(file);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    find();
    int result = original(clock, now);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += *ahead;
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec read;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &read);
    now->tv_sec = read.tv_sec;
    now->tv_usec = read.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *result) {
    struct timespec read;
    clock_gettime(CLOCK_REALTIME, &read);
    if (result != NULL)
        *result = read.tv_sec;
    return read.tv_sec;
}
