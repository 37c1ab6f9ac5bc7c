// fileload.c - drains a file again and again from a server that sends it once for each byte it is sent, and compares every byte.
// usage: fileload PORT FILE SERVERPID [CONNS] [SECONDS] [WARM]
// Prints JSON: CPU time of the server (user and system, of the whole process) in microseconds per MiB, and the rate.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define RB (256 * 1024)

typedef struct {
    int fd;
    size_t at;
} conn;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

// The clock of another process: CLOCK_PROCESS_CPUTIME_ID for its number, in nanoseconds.
static double cpu_of(int pid) {
    clockid_t id = (~(clockid_t)pid << 3) | 2;
    struct timespec t;
    if (clock_gettime(id, &t)) {
        perror("clock_gettime");
        exit(1);
    }
    return t.tv_sec + t.tv_nsec * 1e-9;
}

int main(int argc, char **argv) {
    if (argc < 4)
        return 2;
    int pid = atoi(argv[3]), n = argc > 4 ? atoi(argv[4]) : 4;
    double secs = argc > 5 ? atof(argv[5]) : 3, warm = argc > 6 ? atof(argv[6]) : 1;
    int f = open(argv[2], O_RDONLY);
    struct stat st;
    if (f < 0 || fstat(f, &st) || !st.st_size)
        return 2;
    char *want = mmap(0, st.st_size, PROT_READ, MAP_SHARED, f, 0), *got = malloc(RB);
    int ep = epoll_create1(0);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (int i = 0; i < n; i++) {
        conn *c = calloc(1, sizeof *c);
        c->fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(c->fd, (void *)&a, sizeof a)) {
            perror("connect");
            return 1;
        }
        fcntl(c->fd, F_SETFL, O_NONBLOCK);
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
        epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &e);
        if (send(c->fd, "x", 1, MSG_NOSIGNAL) != 1)
            return 1;
    }
    double start = now(), begun = 0, cpu = 0;
    unsigned long long bytes = 0, files = 0;
    for (;;) {
        double t = now();
        if (!begun && t - start >= warm) {
            begun = t;
            cpu = cpu_of(pid);
            bytes = files = 0;
        }
        if (begun && t - begun >= secs) {
            double used = cpu_of(pid) - cpu, mib = bytes / 1048576.0;
            printf("{\"us_mib\": %.3f, \"mib_s\": %.1f, \"files\": %llu, \"srv_util\": %.3f}\n", used * 1e6 / mib, mib / (t - begun), files, used / (t - begun));
            return 0;
        }
        struct epoll_event evs[64];
        int k = epoll_wait(ep, evs, 64, 100);
        for (int i = 0; i < k; i++) {
            conn *c = evs[i].data.ptr;
            size_t most = st.st_size - c->at < RB ? st.st_size - c->at : RB;
            ssize_t r = recv(c->fd, got, most, 0);
            if (r < 0 && errno == EAGAIN)
                continue;
            if (r <= 0 || memcmp(got, want + c->at, r)) {
                fprintf(stderr, r <= 0 ? "the server closed\n" : "a wrong byte\n");
                return 1;
            }
            bytes += r;
            c->at += r;
            if (c->at == (size_t)st.st_size) {
                c->at = 0;
                files++;
                if (send(c->fd, "x", 1, MSG_NOSIGNAL) != 1)
                    return 1;
            }
        }
    }
}
