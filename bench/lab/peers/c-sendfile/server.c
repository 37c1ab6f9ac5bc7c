// c-sendfile: raw level-triggered epoll; for each byte that a client sends, it sends the file once. usage: server PORT FILE
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    int fd, waits;
    long wanted;
    off_t at;
} conn;

static int ep, file;
static off_t size;

static void interest(conn *c, int waits) {
    if (c->waits == waits)
        return;
    struct epoll_event e = {.events = waits ? EPOLLOUT : EPOLLIN, .data.ptr = c};
    epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
    c->waits = waits;
}

static void drop(conn *c) {
    close(c->fd);
    free(c);
}

static void push(conn *c) {
    while (c->wanted > 0) {
        ssize_t n = sendfile(c->fd, file, &c->at, size - c->at);
        if (n < 0 && errno == EAGAIN) {
            interest(c, 1);
            return;
        }
        if (n < 0) {
            drop(c);
            return;
        }
        if (c->at == size) {
            c->at = 0;
            c->wanted--;
        }
    }
    interest(c, 0);
}

int main(int argc, char **argv) {
    if (argc < 3)
        return 2;
    signal(SIGPIPE, SIG_IGN);
    file = open(argv[2], O_RDONLY);
    struct stat st;
    if (file < 0 || fstat(file, &st) || !st.st_size)
        return 2;
    size = st.st_size;
    int one = 1, s = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(s, (void *)&a, sizeof a) || listen(s, 1024))
        return 1;
    ep = epoll_create1(0);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = 0}, evs[256];
    epoll_ctl(ep, EPOLL_CTL_ADD, s, &e);
    for (;;) {
        int n = epoll_wait(ep, evs, 256, -1);
        for (int i = 0; i < n; i++) {
            conn *c = evs[i].data.ptr;
            if (!c) {
                int fd = accept4(s, 0, 0, SOCK_NONBLOCK);
                if (fd < 0)
                    continue;
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                c = calloc(1, sizeof *c);
                c->fd = fd;
                e = (struct epoll_event){.events = EPOLLIN, .data.ptr = c};
                epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
                continue;
            }
            if (!c->waits) {
                char b[64];
                ssize_t r = recv(c->fd, b, sizeof b, 0);
                if (r <= 0) {
                    if (r == 0 || errno != EAGAIN)
                        drop(c);
                    continue;
                }
                c->wanted += r;
            }
            push(c);
        }
    }
}
