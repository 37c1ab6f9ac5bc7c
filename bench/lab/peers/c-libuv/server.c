// c-libuv: usage server tcp|unix|udp ADDR
#include <uv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static uv_loop_t *L;
static char buf[65536];
static int un;

typedef struct {
    uv_write_t r;
    char d[];
} wr;

static void alloc(uv_handle_t *h, size_t n, uv_buf_t *b) {
    b->base = buf;
    b->len = sizeof buf;
}

static void cl(uv_handle_t *h) {
    free(h);
}

static void wcb(uv_write_t *r, int st) {
    free(r);
}

static void rd(uv_stream_t *s, ssize_t n, const uv_buf_t *b) {
    if (n <= 0) {
        if (n < 0)
            uv_close((uv_handle_t *)s, cl);
        return;
    }
    uv_buf_t w = uv_buf_init(b->base, n);
    int r = uv_try_write(s, &w, 1);
    if (r < 0)
        r = (r == UV_EAGAIN) ? 0 : r;
    if (r < 0) {
        uv_close((uv_handle_t *)s, cl);
        return;
    }
    if (r < n) {
        wr *q = malloc(sizeof *q + n - r);
        memcpy(q->d, b->base + r, n - r);
        uv_buf_t v = uv_buf_init(q->d, n - r);
        uv_write(&q->r, s, &v, 1, wcb);
    }
}

static void conn(uv_stream_t *s, int st) {
    uv_stream_t *c;
    if (un) {
        c = malloc(sizeof(uv_pipe_t));
        uv_pipe_init(L, (uv_pipe_t *)c, 0);
    } else {
        c = malloc(sizeof(uv_tcp_t));
        uv_tcp_init(L, (uv_tcp_t *)c);
    }
    if (uv_accept(s, c) == 0) {
        if (!un)
            uv_tcp_nodelay((uv_tcp_t *)c, 1);
        uv_read_start(c, alloc, rd);
    } else
        uv_close((uv_handle_t *)c, cl);
}

static void urd(uv_udp_t *h, ssize_t n, const uv_buf_t *b, const struct sockaddr *a, unsigned f) {
    if (n <= 0 || !a)
        return;
    uv_buf_t w = uv_buf_init(b->base, n);
    uv_udp_try_send(h, &w, 1, a);
}

int main(int ac, char **av) {
    L = uv_default_loop();
    struct sockaddr_in a;
    un = !strcmp(av[1], "unix");
    if (!un)
        uv_ip4_addr("0.0.0.0", atoi(av[2]), &a);
    if (!strcmp(av[1], "udp")) {
        static uv_udp_t u;
        uv_udp_init(L, &u);
        uv_udp_bind(&u, (void *)&a, 0);
        uv_udp_recv_start(&u, alloc, urd);
    } else if (un) {
        static uv_pipe_t p;
        remove(av[2]);
        uv_pipe_init(L, &p, 0);
        uv_pipe_bind(&p, av[2]);
        uv_listen((uv_stream_t *)&p, 4096, conn);
    } else {
        static uv_tcp_t t;
        uv_tcp_init(L, &t);
        uv_tcp_bind(&t, (void *)&a, 0);
        int r = uv_listen((uv_stream_t *)&t, 4096, conn);
        if (r) {
            fprintf(stderr, "%s\n", uv_strerror(r));
            return 1;
        }
    }
    return uv_run(L, UV_RUN_DEFAULT);
}
