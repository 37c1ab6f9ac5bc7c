// c-uring: multishot accept, multishot recv + provided buffer ring, send; DEFER_TASKRUN|SINGLE_ISSUER. usage: server tcp|unix ADDR
#define _GNU_SOURCE
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/un.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#ifndef IORING_SETUP_DEFER_TASKRUN
#define IORING_SETUP_DEFER_TASKRUN (1U << 13)
#endif
#define NB 1024
#define BS 65536

typedef struct item {
    int len;
    short next;
} item;

typedef struct {
    int fd;
    short head, tail;
    int sending;
    int rearm, closed, recving;
} conn;
static struct io_uring R;
static struct io_uring_buf_ring *br;
static char *B;
static item it[NB];
static conn *starved[65536];
static int nst;

enum { ACC = 0, RECV = 1, SEND = 2 };

static inline struct io_uring_sqe *sqe(void) {
    struct io_uring_sqe *s = io_uring_get_sqe(&R);
    if (!s) {
        io_uring_submit(&R);
        s = io_uring_get_sqe(&R);
    }
    return s;
}

static inline void recycle(int b) {
    io_uring_buf_ring_add(br, B + (size_t)b * BS, BS, b, NB - 1, 0);
    io_uring_buf_ring_advance(br, 1);
}

static void arm(conn *c) {
    struct io_uring_sqe *s = sqe();
    io_uring_prep_recv_multishot(s, c->fd, 0, 0, 0);
    s->flags |= IOSQE_BUFFER_SELECT;
    s->buf_group = 0;
    io_uring_sqe_set_data64(s, (uint64_t)c | RECV);
    c->recving = 1;
}

static void snd(conn *c) {
    struct io_uring_sqe *s = sqe();
    int b = c->head;
    io_uring_prep_send(s, c->fd, B + (size_t)b * BS, it[b].len, MSG_NOSIGNAL | MSG_WAITALL);
    io_uring_sqe_set_data64(s, (uint64_t)c | SEND);
    c->sending = 1;
}

static void tryfree(conn *c) {
    if (c->closed && !c->sending && !c->recving && !c->rearm) {
        while (c->head >= 0) {
            int b = c->head;
            c->head = it[b].next;
            recycle(b);
        }
        close(c->fd);
        free(c);
    }
}

int main(int ac, char **av) {
    int un = !strcmp(av[1], "unix"), one = 1;
    int ls = socket(un ? AF_UNIX : AF_INET, SOCK_STREAM, 0);
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
        setsockopt(ls, IPPROTO_TCP, TCP_NODELAY, &one, 4);
    }
    listen(ls, 4096);
    struct io_uring_params p = {.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE,
                                .cq_entries = 16384};
    int r = io_uring_queue_init_params(2048, &R, &p);
    if (r) {
        fprintf(stderr, "init %s\n", strerror(-r));
        return 1;
    }
    io_uring_register_ring_fd(&R);
    br = mmap(0, NB * sizeof(struct io_uring_buf), PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
    struct io_uring_buf_reg reg = {.ring_addr = (uint64_t)br, .ring_entries = NB, .bgid = 0};
    r = io_uring_register_buf_ring(&R, &reg, 0);
    if (r) {
        fprintf(stderr, "bufring %s\n", strerror(-r));
        return 1;
    }
    io_uring_buf_ring_init(br);
    B = mmap(0, (size_t)NB * BS, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
    for (int i = 0; i < NB; i++)
        io_uring_buf_ring_add(br, B + (size_t)i * BS, BS, i, NB - 1, i);
    io_uring_buf_ring_advance(br, NB);
    struct io_uring_sqe *s = sqe();
    io_uring_prep_multishot_accept(s, ls, 0, 0, 0);
    io_uring_sqe_set_data64(s, ACC);
    for (;;) {
        r = io_uring_submit_and_wait(&R, 1);
        if (r < 0 && r != -EINTR && r != -EBUSY) {
            fprintf(stderr, "wait %s\n", strerror(-r));
            return 1;
        }
        unsigned head, n = 0;
        struct io_uring_cqe *c;
        io_uring_for_each_cqe(&R, head, c) {
            n++;
            uint64_t d = c->user_data;
            conn *k = (conn *)(d & ~7ull);
            switch (d & 7) {
            case ACC:
                if (c->res >= 0) {
                    k = calloc(1, sizeof *k);
                    k->fd = c->res;
                    k->head = k->tail = -1;
                    if (!un)
                        setsockopt(k->fd, IPPROTO_TCP, TCP_NODELAY, &one, 4);
                    arm(k);
                }
                if (!(c->flags & IORING_CQE_F_MORE)) {
                    s = sqe();
                    io_uring_prep_multishot_accept(s, ls, 0, 0, 0);
                    io_uring_sqe_set_data64(s, ACC);
                }
                break;
            case RECV:
                if (!(c->flags & IORING_CQE_F_MORE))
                    k->recving = 0;
                if (c->res <= 0) {
                    if (c->flags & IORING_CQE_F_BUFFER)
                        recycle(c->flags >> 16);
                    if (c->res == -ENOBUFS) {
                        k->rearm = 1;
                        starved[nst++] = k;
                    } else
                        k->closed = 1;
                    tryfree(k);
                    break;
                }
                {
                    int b = c->flags >> 16;
                    it[b].len = c->res;
                    it[b].next = -1;
                    if (k->tail >= 0 && k->head >= 0)
                        it[k->tail].next = b;
                    else
                        k->head = b;
                    k->tail = b;
                    if (!k->sending)
                        snd(k);
                    if (!k->recving && !k->closed)
                        arm(k);
                }
                break;
            case SEND: {
                int b = k->head;
                k->sending = 0;
                if (c->res < it[b].len)
                    k->closed = 1;
                k->head = it[b].next;
                if (k->head < 0)
                    k->tail = -1;
                recycle(b);
                if (!k->closed && k->head >= 0)
                    snd(k);
                if (k->closed) {
                    if (k->recving)
                        shutdown(k->fd, SHUT_RDWR);
                    tryfree(k);
                }
                break;
            }
            }
        }
        io_uring_cq_advance(&R, n);
        if (nst) {
            for (int i = 0; i < nst; i++) {
                starved[i]->rearm = 0;
                if (starved[i]->closed)
                    tryfree(starved[i]);
                else
                    arm(starved[i]);
            }
            nst = 0;
        }
    }
}
