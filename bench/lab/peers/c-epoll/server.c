// c-epoll: raw level-triggered epoll, one shared 64 KiB buffer. usage: server tcp|unix|udp|udpmm|tls ADDR
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <unistd.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/epoll.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>

typedef struct {
    int fd;
    char *pend;
    size_t off, len;
    SSL *ssl;
} conn;

static char buf[65536];
static int ep;

static void drop(conn *c) {
    close(c->fd);
    free(c->pend);
    if (c->ssl)
        SSL_free(c->ssl);
    free(c);
}

static int flush(conn *c) {
    while (c->off < c->len) {
        ssize_t n = send(c->fd, c->pend + c->off, c->len - c->off, MSG_NOSIGNAL);
        if (n < 0)
            return errno == EAGAIN ? 0 : -1;
        c->off += n;
    }
    free(c->pend);
    c->pend = 0;
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
    return 0;
}

static SSL_CTX *ctx;

static void tls_ev(conn *c) {
    for (;;) {
        if (c->pend) {
            int w = SSL_write(c->ssl, c->pend + c->off, c->len - c->off);
            if (w <= 0) {
                int e = SSL_get_error(c->ssl, w);
                if (e == SSL_ERROR_WANT_WRITE || e == SSL_ERROR_WANT_READ)
                    return;
                drop(c);
                return;
            }
            c->off += w;
            if (c->off == c->len) {
                free(c->pend);
                c->pend = 0;
                struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
                epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
            }
            continue;
        }
        int n = SSL_read(c->ssl, buf, sizeof buf);
        if (n <= 0) {
            int e = SSL_get_error(c->ssl, n);
            if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE)
                return;
            drop(c);
            return;
        }
        int o = 0;
        while (o < n) {
            int w = SSL_write(c->ssl, buf + o, n - o);
            if (w <= 0) {
                int e = SSL_get_error(c->ssl, w);
                if (e != SSL_ERROR_WANT_WRITE && e != SSL_ERROR_WANT_READ) {
                    drop(c);
                    return;
                }
                c->pend = malloc(n - o);
                memcpy(c->pend, buf + o, n - o);
                c->off = 0;
                c->len = n - o;
                struct epoll_event ee = {.events = EPOLLOUT, .data.ptr = c};
                epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &ee);
                return;
            }
            o += w;
        }
        if (!SSL_has_pending(c->ssl))
            return;
    }
}

int main(int ac, char **av) {
    signal(SIGPIPE, SIG_IGN);
    int un = !strcmp(av[1], "unix"), udp = !strncmp(av[1], "udp", 3), tls = !strcmp(av[1], "tls");
    int one = 1;
    int ls = socket(un ? AF_UNIX : AF_INET, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK, 0);
    if (un) {
        struct sockaddr_un a = {.sun_family = AF_UNIX};
        strcpy(a.sun_path, av[2]);
        unlink(av[2]);
        if (bind(ls, (void *)&a, sizeof a))
            return perror("bind"), 1;
    } else {
        setsockopt(ls, SOL_SOCKET, SO_REUSEADDR, &one, 4);
        struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(atoi(av[2]))};
        if (bind(ls, (void *)&a, sizeof a))
            return perror("bind"), 1;
    }
    ep = epoll_create1(0);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = 0}, ev[512];
    if (udp) {
        int mm = !strcmp(av[1], "udpmm");
        epoll_ctl(ep, EPOLL_CTL_ADD, ls, &e);

        enum { V = 64 };

        static char vb[V][2048];
        struct mmsghdr h[V];
        struct iovec io[V];
        struct sockaddr_in ad[V];
        for (;;) {
            epoll_wait(ep, ev, 8, -1);
            if (!mm) {
                for (;;) {
                    struct sockaddr_in p;
                    socklen_t pl = sizeof p;
                    ssize_t n = recvfrom(ls, buf, sizeof buf, 0, (void *)&p, &pl);
                    if (n < 0)
                        break;
                    sendto(ls, buf, n, 0, (void *)&p, pl);
                }
            } else {
                for (int i = 0; i < V; i++) {
                    io[i] = (struct iovec){vb[i], 2048};
                    h[i].msg_hdr = (struct msghdr){.msg_name = &ad[i], .msg_namelen = sizeof ad[i], .msg_iov = &io[i], .msg_iovlen = 1};
                }
                int n = recvmmsg(ls, h, V, MSG_DONTWAIT, 0);
                if (n <= 0)
                    continue;
                for (int i = 0; i < n; i++)
                    io[i].iov_len = h[i].msg_len;
                sendmmsg(ls, h, n, 0);
            }
        }
    }
    if (tls) {
        ctx = SSL_CTX_new(TLS_server_method());
        SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
        SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        SSL_CTX_set_read_ahead(ctx, 1);
        char cp[512], kp[512];
        snprintf(cp, 512, "%s/cert.pem", getenv("CERTS"));
        snprintf(kp, 512, "%s/key.pem", getenv("CERTS"));
        if (SSL_CTX_use_certificate_file(ctx, cp, 1) != 1 || SSL_CTX_use_PrivateKey_file(ctx, kp, 1) != 1)
            return 1;
    }
    if (!un) // accepted connections inherit it
        setsockopt(ls, IPPROTO_TCP, TCP_NODELAY, &one, 4);
    listen(ls, 4096);
    epoll_ctl(ep, EPOLL_CTL_ADD, ls, &e);
    for (;;) {
        int n = epoll_wait(ep, ev, 512, -1);
        for (int i = 0; i < n; i++) {
            conn *c = ev[i].data.ptr;
            if (!c) {
                int fd;
                for (int k = 0; k < 16 && (fd = accept4(ls, 0, 0, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0; k++) {
                    c = calloc(1, sizeof *c);
                    c->fd = fd;
                    if (tls) {
                        c->ssl = SSL_new(ctx);
                        SSL_set_fd(c->ssl, fd);
                        SSL_set_accept_state(c->ssl);
                    }
                    e.events = EPOLLIN;
                    e.data.ptr = c;
                    epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
                }
                continue;
            }
            if (tls) {
                tls_ev(c);
                continue;
            }
            if (c->pend) {
                if (flush(c) < 0)
                    drop(c);
                continue;
            }
            ssize_t r = recv(c->fd, buf, sizeof buf, 0);
            if (r <= 0) {
                if (r < 0 && errno == EAGAIN)
                    continue;
                drop(c);
                continue;
            }
            ssize_t w = send(c->fd, buf, r, MSG_NOSIGNAL);
            if (w < 0) {
                if (errno != EAGAIN) {
                    drop(c);
                    continue;
                }
                w = 0;
            }
            if (w < r) {
                c->len = r - w;
                c->off = 0;
                c->pend = malloc(c->len);
                memcpy(c->pend, buf + w, c->len);
                struct epoll_event q = {.events = EPOLLOUT, .data.ptr = c};
                epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &q);
            }
        }
    }
}
