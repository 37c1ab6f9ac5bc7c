// load.c - epoll load generator, single thread.
// usage: load HOST PORT|unix:/path [--conns N] [--size B] [--seconds S] [--warm S] [--pipeline K]
//        [--mode echo|sink|idle|churn] [--udp] [--tls] [--pid SERVERPID] [--touch]
// churn: N short connections in flight; --size 0 ends each at once, --size B after one echo of B bytes. Its "messages" are connections.
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdint.h>
#include <errno.h>
#include <unistd.h>
#include <fcntl.h>
#include <time.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <openssl/err.h>

#define L 65521u
#define RB (256 * 1024)

typedef struct {
    int fd;
    uint32_t base;
    uint64_t tx, rx, goal, done;
    uint64_t *ts;
    SSL *ssl;
    int wantout;
    /* udp */ uint64_t seq, exp;
    int inflight;
    uint64_t last;
} conn;

static int conns = 10, size_ = 1024, K = 1, udp, tls, touch_, pid_;
static double secs = 3, warm = 1;
static const char *mode = "echo";
static unsigned char *PAT, *rbuf;
static int ep;
static uint64_t errors, lost, late;
static int fullverify = 1;
static uint64_t vcount;
static uint64_t msgs, bytes;
static int stopping;
#define HB 4096
static uint64_t hist[64 * 64];
static uint64_t hmax;

static inline uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static inline int hidx(uint64_t v) {
    if (v < 64)
        return v;
    int b = 63 - __builtin_clzll(v);
    return (b - 5) * 64 + ((v >> (b - 6)) & 63);
}

static inline uint64_t hval(int i) {
    if (i < 64)
        return i;
    int b = i / 64 + 5;
    return (1ull << b) | ((uint64_t)(i & 63) << (b - 6));
}

static inline void hadd(uint64_t v, uint64_t n) {
    hist[hidx(v)] += n;
    if (v > hmax)
        hmax = v;
}

static double pct(double p) {
    uint64_t t = 0, c = 0;
    for (int i = 0; i < 64 * 64; i++)
        t += hist[i];
    if (!t)
        return 0;
    uint64_t w = (uint64_t)(t * p);
    for (int i = 0; i < 64 * 64; i++) {
        c += hist[i];
        if (c > w)
            return hval(i) / 1000.0;
    }
    return hmax / 1000.0;
}

static void die(const char *m) {
    printf("{\"error\":\"%s: %s\"}\n", m, strerror(errno));
    exit(1);
}

typedef struct {
    uint64_t t, srv, self;
    double ut, st;
    uint64_t busy[2], soft[2], steal[2], tot[2];
} snap;

static void takesnap(snap *s) {
    memset(s, 0, sizeof *s);
    s->t = now_ns();
    struct timespec t;
    if (pid_) {
        clockid_t c;
        if (!clock_getcpuclockid(pid_, &c) && !clock_gettime(c, &t))
            s->srv = t.tv_sec * 1000000000ull + t.tv_nsec;
        char p[64];
        snprintf(p, 64, "/proc/%d/stat", pid_);
        FILE *f = fopen(p, "r");
        if (f) {
            char b[2048];
            size_t n = fread(b, 1, 2047, f);
            b[n] = 0;
            fclose(f);
            char *q = strrchr(b, ')');
            unsigned long u, v;
            if (q && sscanf(q + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &u, &v) == 2) {
                s->ut = u / 100.0;
                s->st = v / 100.0;
            }
        }
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    s->self = t.tv_sec * 1000000000ull + t.tv_nsec;
    FILE *f = fopen("/proc/stat", "r");
    char b[512];
    while (f && fgets(b, 512, f)) {
        int c;
        unsigned long long u, n, sy, id, io, ir, so, stl;
        if (sscanf(b, "cpu%d %llu %llu %llu %llu %llu %llu %llu %llu", &c, &u, &n, &sy, &id, &io, &ir, &so, &stl) == 9 && b[3] >= '0' &&
            b[3] <= '9' && c < 2) {
            s->busy[c] = u + n + sy + ir + so;
            s->soft[c] = ir + so;
            s->steal[c] = stl;
            s->tot[c] = u + n + sy + id + io + ir + so + stl;
        }
    }
    if (f)
        fclose(f);
}

static snap s0, s1;
static uint64_t M, B, LO;
static double p50, p99, p999, mx;

static void begin_measuring(void) {
    memset(hist, 0, sizeof hist);
    hmax = 0;
    msgs = bytes = lost = late = 0;
    fullverify = 0;
    takesnap(&s0);
}

static void end_measuring(void) {
    takesnap(&s1);
    M = msgs;
    B = bytes;
    LO = lost;
    p50 = pct(.5);
    p99 = pct(.99);
    p999 = pct(.999);
    mx = hmax / 1e3;
    stopping = 1;
}

static long rss(void) {
    char p[64];
    snprintf(p, 64, "/proc/%d/status", pid_);
    FILE *f = fopen(p, "r");
    if (!f)
        return -1;
    char b[256];
    long r = -1;
    while (fgets(b, 256, f))
        if (sscanf(b, "VmRSS: %ld", &r) == 1)
            break;
    fclose(f);
    return r;
}

static struct sockaddr_storage sa;
static socklen_t salen;
static SSL_CTX *ctx;

static int mksock(int i) {
    int fd = socket(sa.ss_family, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
    if (fd < 0)
        die("socket");
    int one = 1;
    if (sa.ss_family == AF_INET && !udp)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, 4);
    if (sa.ss_family == AF_INET && !udp && conns > 5000) {
        struct sockaddr_in b = {.sin_family = AF_INET};
        setsockopt(fd, IPPROTO_IP, 24 /*IP_BIND_ADDRESS_NO_PORT*/, &one, 4);
        b.sin_addr.s_addr = htonl(0x7f000002 + i / 5000);
        if (bind(fd, (void *)&b, sizeof b))
            die("bind");
    }
    if (connect(fd, (void *)&sa, salen))
        die("connect");
    return fd;
}

static inline ssize_t c_recv(conn *c, void *b, size_t n) {
    if (!c->ssl)
        return recv(c->fd, b, n, 0);
    int r = SSL_read(c->ssl, b, n > INT32_MAX ? INT32_MAX : n);
    if (r > 0)
        return r;
    int e = SSL_get_error(c->ssl, r);
    if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE) {
        errno = EAGAIN;
        return -1;
    }
    if (e == SSL_ERROR_ZERO_RETURN)
        return 0;
    errno = EPROTO;
    return -1;
}

static inline ssize_t c_send(conn *c, const void *b, size_t n) {
    if (!c->ssl)
        return send(c->fd, b, n, MSG_NOSIGNAL);
    int r = SSL_write(c->ssl, b, n);
    if (r > 0)
        return r;
    int e = SSL_get_error(c->ssl, r);
    if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE) {
        errno = EAGAIN;
        return -1;
    }
    errno = EPROTO;
    return -1;
}

static int dead;

static void kill_conn(conn *c, const char *why) {
    errors++;
    if (errors < 5)
        fprintf(stderr, "conn error: %s (%s)\n", why, strerror(errno));
    epoll_ctl(ep, EPOLL_CTL_DEL, c->fd, 0);
    close(c->fd);
    c->fd = -1;
    dead++;
}

static void pump(conn *c) {
    while (c->tx < c->goal) {
        ssize_t n = c_send(c, PAT + (c->base + c->tx) % L, c->goal - c->tx);
        if (n < 0) {
            if (errno == EAGAIN) {
                if (tls && !c->wantout) {
                    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT, .data.ptr = c};
                    epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
                    c->wantout = 1;
                }
                return;
            }
            kill_conn(c, "send");
            return;
        }
        c->tx += n;
    }
    if (c->wantout) {
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
        epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
        c->wantout = 0;
    }
}

static inline int verify(conn *c, size_t n) {
    const unsigned char *p = PAT + (c->base + c->rx) % L;
    if (fullverify || n <= 4096 || (++vcount & 15) == 0)
        return memcmp(rbuf, p, n) == 0;
    return memcmp(rbuf, p, 64) == 0 && memcmp(rbuf + n - 64, p + n - 64, 64) == 0;
}

static uint64_t NOW;

static void on_in(conn *c) {
    for (;;) {
        ssize_t n = c_recv(c, rbuf, RB);
        if (n < 0) {
            if (errno == EAGAIN)
                return;
            kill_conn(c, "recv");
            return;
        }
        if (n == 0) {
            errno = 0;
            kill_conn(c, "eof");
            return;
        }
        if (!verify(c, n)) {
            kill_conn(c, "CONTENT MISMATCH");
            return;
        }
        c->rx += n;
        if (c->rx > c->tx) {
            kill_conn(c, "MORE BYTES THAN SENT");
            return;
        }
        bytes += n;
        uint64_t d = c->rx / size_;
        if (d > c->done) {
            NOW = now_ns();
            for (uint64_t m = c->done; m < d; m++)
                hadd(NOW - c->ts[m % K], 1);
            msgs += d - c->done;
            if (!stopping) {
                for (uint64_t m = c->done; m < d; m++)
                    c->ts[m % K] = NOW;
                c->done = d;
                c->goal = (d + K) * size_;
                pump(c);
                if (c->fd < 0)
                    return;
            } else
                c->done = d;
        }
        if (tls) {
            if (!SSL_has_pending(c->ssl))
                return;
        } else if (n < RB)
            return;
    }
}

static void report(double cms) {
    double el = (s1.t - s0.t) / 1e9;
    double us = M ? (double)(s1.srv - s0.srv) / 1e3 / M : 0;
    double hz = 100;
#define U(a, c) ((double)(s1.a[c] - s0.a[c]) / hz / el)
    printf("{\"mode\":\"%s%s%s\",\"conns\":%d,\"size\":%d,\"pipeline\":%d,\"secs\":%.3f,\"msgs_s\":%.0f,\"mib_s\":%.1f,\"p50\":%.1f,"
           "\"p99\":%.1f,\"p999\":%.1f,\"max\":%.0f,\"errors\":%lu,\"lost\":%lu,\"late\":%lu,\"srv_us_msg\":%.3f,\"srv_user\":%.3f,\"srv_"
           "sys\":%.3f,\"srv_util\":%.3f,\"load_util\":%.3f,\"cpu0\":%.3f,\"cpu1\":%.3f,\"soft0\":%.3f,\"soft1\":%.3f,\"steal0\":%.3f,"
           "\"steal1\":%.3f,\"rss_kb\":%ld,\"connect_ms\":%.1f}\n",
           mode,
           udp                       ? "-udp"
           : sa.ss_family == AF_UNIX ? "-unix"
                                     : "-tcp",
           tls ? "-tls" : "", conns, size_, K, el, M / el, B / el / 1048576, p50, p99, p999, mx, errors, LO, late, us, (s1.ut - s0.ut) / el,
           (s1.st - s0.st) / el, (s1.srv - s0.srv) / 1e9 / el, (s1.self - s0.self) / 1e9 / el, U(busy, 0), U(busy, 1), U(soft, 0),
           U(soft, 1), U(steal, 0), U(steal, 1), pid_ ? rss() : -1, cms);
}

// Short connections. Each ends its sending side at once, or after its echo, and is over when the server's end has been read: so the
// server sees what it sees when a client closes, and no more than conns wait for it. The client is the one whose ports rest in
// TIME_WAIT: it takes each connection from another of 240 source addresses, with ports of their own.
static void churn_open(conn *c) {
    static unsigned turn;
    c->ts[0] = now_ns();
    c->fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        die("socket");
    if (sa.ss_family == AF_INET) {
        int one = 1;
        struct sockaddr_in b = {.sin_family = AF_INET};
        b.sin_addr.s_addr = htonl(0x7f000002 + turn++ % 240);
        setsockopt(c->fd, IPPROTO_IP, 24 /*IP_BIND_ADDRESS_NO_PORT*/, &one, 4);
        if (bind(c->fd, (void *)&b, sizeof b))
            die("bind");
    }
    if (connect(c->fd, (void *)&sa, salen))
        die("connect");
    c->rx = 0;
    if (!size_)
        shutdown(c->fd, SHUT_WR);
    else if (send(c->fd, PAT + c->base, size_, MSG_NOSIGNAL) != size_)
        die("send");
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &e);
}

static void churn_in(conn *c) {
    ssize_t n = recv(c->fd, rbuf, RB, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n > 0 && c->rx + n <= (uint64_t)size_ && !memcmp(rbuf, PAT + c->base + c->rx, n)) {
        c->rx += n;
        bytes += n;
        if (c->rx == (uint64_t)size_)
            shutdown(c->fd, SHUT_WR);
        return;
    }
    if (n || c->rx != (uint64_t)size_) {
        if (errors++ < 5)
            fprintf(stderr, "churn: %s after %lu bytes\n", n ? n < 0 ? strerror(errno) : "WRONG BYTES" : "the end", c->rx);
    } else {
        msgs++;
        hadd(now_ns() - c->ts[0], 1);
    }
    close(c->fd);
    c->fd = -1;
    if (!stopping)
        churn_open(c);
}

static int churn(conn *C) {
    struct epoll_event ev[1024];
    uint64_t t = now_ns(), begin = t + (uint64_t)(warm * 1e9), end = 0, seen = 0, progress = t;
    for (int i = 0; i < conns; i++) {
        C[i].base = i * 61 % 4096;
        C[i].ts = calloc(1, 8);
        churn_open(&C[i]);
    }
    for (;;) {
        int n = epoll_wait(ep, ev, 1024, 50);
        t = now_ns();
        if (!end && t >= begin) {
            begin_measuring();
            seen = 0;
            end = t + (uint64_t)(secs * 1e9);
        } else if (end && t >= end) {
            break;
        }
        for (int i = 0; i < n; i++)
            churn_in(ev[i].data.ptr);
        if (msgs != seen) {
            seen = msgs;
            progress = t;
        } else if (t - progress > 5000000000ull) {
            printf("{\"error\":\"no progress for 5 s\",\"errors\":%lu}\n", errors);
            return 1;
        }
    }
    end_measuring();
    report(0);
    return errors ? 3 : 0;
}

static void udp_send(conn *c) { // one datagram
    unsigned char *b = rbuf + RB;
    uint64_t h[2] = {c->seq, c->base};
    memcpy(b, PAT + (c->base + c->seq * 31) % L, size_);
    memcpy(b, h, 16 > size_ ? size_ : 16);
    c->ts[c->seq % K] = now_ns();
    if (send(c->fd, b, size_, 0) != size_) {
        errors++;
        if (errors < 5)
            perror("udp send");
    }
    c->seq++;
    c->inflight++;
}

static void udp_in(conn *c) {
    for (int r = 0; r < K; r++) {
        ssize_t n = recv(c->fd, rbuf, RB, MSG_DONTWAIT);
        if (n < 0) {
            if (errno != EAGAIN) {
                errors++;
                if (errors < 5)
                    perror("udp recv");
            }
            return;
        }
        uint64_t h[2];
        memcpy(h, rbuf, 16);
        if (n != size_ || h[1] != c->base) {
            errors++;
            continue;
        }
        if (memcmp(rbuf + 16, PAT + (c->base + h[0] * 31) % L + 16, n - 16)) {
            errors++;
            continue;
        }
        if (h[0] < c->exp) {
            late++;
            continue;
        }
        if (h[0] > c->exp) {
            lost += h[0] - c->exp;
            c->inflight -= h[0] - c->exp;
            c->exp = h[0];
        }
        NOW = now_ns();
        hadd(NOW - c->ts[h[0] % K], 1);
        c->exp++;
        c->inflight--;
        c->last = NOW;
        msgs++;
        bytes += n;
        if (!stopping)
            while (c->inflight < K)
                udp_send(c);
        if (c->inflight <= 0)
            return;
    }
}

int main(int ac, char **av) {
    const char *host = 0, *port = 0;
    int pos = 0;
    signal(SIGPIPE, SIG_IGN);
    for (int i = 1; i < ac; i++) {
        char *a = av[i];
#define OPT(s) (!strcmp(a, s) && i + 1 < ac)
        if (OPT("--conns"))
            conns = atoi(av[++i]);
        else if (OPT("--size"))
            size_ = atoi(av[++i]);
        else if (OPT("--seconds"))
            secs = atof(av[++i]);
        else if (OPT("--warm"))
            warm = atof(av[++i]);
        else if (OPT("--pipeline"))
            K = atoi(av[++i]);
        else if (OPT("--mode"))
            mode = av[++i];
        else if (OPT("--pid"))
            pid_ = atoi(av[++i]);
        else if (!strcmp(a, "--udp"))
            udp = 1;
        else if (!strcmp(a, "--tls"))
            tls = 1;
        else if (!strcmp(a, "--touch"))
            touch_ = 1;
        else if (pos++ == 0)
            host = a;
        else
            port = a;
    }
    if (!host) {
        fprintf(stderr, "usage\n");
        return 2;
    }
    struct rlimit rl = {1000000, 1000000};
    if (setrlimit(RLIMIT_NOFILE, &rl)) {
        getrlimit(RLIMIT_NOFILE, &rl);
        rl.rlim_cur = rl.rlim_max;
        setrlimit(RLIMIT_NOFILE, &rl);
    }
    if (!strncmp(host, "unix:", 5)) {
        struct sockaddr_un *u = (void *)&sa;
        u->sun_family = AF_UNIX;
        strncpy(u->sun_path, host + 5, 100);
        salen = sizeof *u;
    } else {
        struct sockaddr_in *s = (void *)&sa;
        s->sin_family = AF_INET;
        s->sin_port = htons(atoi(port));
        inet_pton(AF_INET, host, &s->sin_addr);
        salen = sizeof *s;
    }
    size_t PL = L + ((size_t)K * size_ > RB ? (size_t)K * size_ : RB) + RB;
    PAT = aligned_alloc(4096, (PL + 4095) & ~4095ul);
    uint64_t x = 88172645463325252ull;
    for (size_t i = 0; i < L; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        PAT[i] = x;
    }
    for (size_t i = L; i < PL; i++)
        PAT[i] = PAT[i - L];
    rbuf = aligned_alloc(4096, RB + RB);
    memset(rbuf, 0, 2 * RB);
    ep = epoll_create1(0);
    long rss0 = pid_ ? rss() : -1;
    if (tls) {
        ctx = SSL_CTX_new(TLS_client_method());
        SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
        SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        SSL_CTX_set_read_ahead(ctx, 1);
        SSL_CTX_set_default_read_buffer_len(ctx, 65536);
        SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, 0);
    }
    conn *C = calloc(conns, sizeof *C);
    if (!strcmp(mode, "churn"))
        return churn(C);
    uint64_t tc = now_ns();
    for (int i = 0; i < conns; i++) {
        C[i].fd = mksock(i);
        C[i].base = (uint32_t)(i * 7919u) % L;
        C[i].ts = calloc(K, 8);
        if (tls) {
            C[i].ssl = SSL_new(ctx);
            SSL_set_fd(C[i].ssl, C[i].fd);
            if (SSL_connect(C[i].ssl) != 1) {
                ERR_print_errors_fp(stderr);
                die("tls handshake");
            }
        }
    }
    double cms = (now_ns() - tc) / 1e6;
    for (int i = 0; i < conns; i++) {
        fcntl(C[i].fd, F_SETFL, O_NONBLOCK);
    }
    if (!strcmp(mode, "idle")) {
        usleep((int)(secs * 1e6));
        long r1 = rss(), r2 = -1;
        if (touch_) {
            for (int i = 0; i < conns; i++) {
                fcntl(C[i].fd, F_SETFL, 0);
                struct timeval tv = {5, 0};
                setsockopt(C[i].fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
                send(C[i].fd, PAT, size_, 0);
                int g = 0;
                while (g < size_) {
                    ssize_t n = recv(C[i].fd, rbuf, size_ - g, 0);
                    if (n <= 0) {
                        errors++;
                        break;
                    }
                    g += n;
                }
            }
            usleep((int)(secs * 1e6));
            r2 = rss();
        }
        printf("{\"mode\":\"idle\",\"conns\":%d,\"rss0_kb\":%ld,\"rss1_kb\":%ld,\"rss2_kb\":%ld,\"connect_ms\":%.1f,\"errors\":%lu}\n",
               conns, rss0, r1, r2, cms, errors);
        for (int i = 0; i < conns; i++)
            close(C[i].fd);
        return 0;
    }
    int sink = !strcmp(mode, "sink");
    for (int i = 0; i < conns; i++) {
        struct epoll_event e = {.events = tls || udp ? EPOLLIN : EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = &C[i]};
        epoll_ctl(ep, EPOLL_CTL_ADD, C[i].fd, &e);
    }
    uint64_t t0 = now_ns(), tm = t0 + (uint64_t)(warm * 1e9), te = 0;
    int measuring = 0;
    struct epoll_event ev[1024];
    uint64_t lastprog = t0, lastmsgs = 0, lastscan = t0;
    for (int i = 0; i < conns; i++) {
        conn *c = &C[i];
        NOW = now_ns();
        c->last = NOW;
        if (udp) {
            for (int k = 0; k < K; k++)
                udp_send(c);
        } else {
            for (int k = 0; k < K; k++)
                c->ts[k] = NOW;
            c->goal = sink ? UINT64_MAX / 2 : (uint64_t)K * size_;
            if (!sink)
                pump(c);
        }
    }
    for (;;) {
        int n = epoll_wait(ep, ev, 1024, 50);
        uint64_t t = now_ns();
        if (!measuring && t >= tm) {
            measuring = 1;
            begin_measuring();
            lastmsgs = 0;
            te = s0.t + (uint64_t)(secs * 1e9);
            t = s0.t;
        }
        int fin = measuring && t >= te;
        if (fin && !stopping)
            end_measuring();
        for (int i = 0; i < n; i++) {
            conn *c = ev[i].data.ptr;
            if (c->fd < 0)
                continue;
            if (udp) {
                udp_in(c);
                continue;
            }
            if (sink) {
                if (ev[i].events & EPOLLIN) {
                    ssize_t r;
                    while ((r = recv(c->fd, rbuf, RB, 0)) > 0)
                        ;
                    if (r == 0) {
                        kill_conn(c, "eof");
                        continue;
                    }
                }
                for (int k = 0; k < 64; k++) {
                    size_t want = size_ - (c->tx % size_);
                    ssize_t r = send(c->fd, PAT + (c->base + c->tx) % L, want, MSG_NOSIGNAL);
                    if (r < 0) {
                        if (errno != EAGAIN)
                            kill_conn(c, "send");
                        break;
                    }
                    c->tx += r;
                    bytes += r;
                    if (c->tx % size_ == 0)
                        msgs++;
                    if (k == 63) {
                        struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
                        epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
                    }
                }
                continue;
            }
            if (ev[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
                on_in(c);
            if (c->fd >= 0 && (ev[i].events & EPOLLOUT) && c->tx < c->goal)
                pump(c);
        }
        if (udp && t - lastscan > 20000000) {
            lastscan = t;
            for (int i = 0; i < conns; i++)
                if (t - C[i].last > 100000000) {
                    lost += C[i].inflight;
                    C[i].exp = C[i].seq;
                    C[i].inflight = 0;
                    C[i].last = t;
                    for (int k = 0; k < K; k++)
                        udp_send(&C[i]);
                }
        }
        if (msgs != lastmsgs) {
            lastmsgs = msgs;
            lastprog = t;
        } else if (t - lastprog > 5000000000ull) {
            printf("{\"error\":\"no progress for 5 s\",\"errors\":%lu}\n", errors);
            return 1;
        }
        if (fin)
            break;
        if (dead == conns) {
            printf("{\"error\":\"all connections dead\",\"errors\":%lu}\n", errors);
            return 1;
        }
    }
    // drain
    if (!udp && !sink) {
        uint64_t d0 = now_ns();
        for (;;) {
            int open = 0;
            for (int i = 0; i < conns; i++)
                if (C[i].fd >= 0 && C[i].rx < C[i].goal)
                    open++;
            if (!open)
                break;
            if (now_ns() - d0 > 2000000000ull) {
                errors += open;
                fprintf(stderr, "drain: %d conns incomplete\n", open);
                break;
            }
            int n = epoll_wait(ep, ev, 1024, 100);
            for (int i = 0; i < n; i++) {
                conn *c = ev[i].data.ptr;
                if (c->fd < 0)
                    continue;
                if (ev[i].events & EPOLLIN)
                    on_in(c);
                if (c->fd >= 0 && (ev[i].events & EPOLLOUT) && c->tx < c->goal)
                    pump(c);
            }
        }
    }
    report(cms);
    for (int i = 0; i < conns; i++)
        if (C[i].fd >= 0) {
            if (tls)
                SSL_shutdown(C[i].ssl);
            close(C[i].fd);
        }
    return errors ? 3 : 0;
}
