// A C face for MPI: what data-parallel training needs of it and no more.
//
// Status. Functions that can fail return 0, or 1 with a reason in `cm_last_error`. No C++ exception leaves this library.
//
// Threads. Sums of gradients are queued and done on a thread of this library, in the order in which they were queued, so that they
// run beside the backward pass. All other functions are for one thread of the caller; those that talk to other processes wait until
// the queue is empty first. That is what MPI calls serialised threads.
#ifndef CMPI_H
#define CMPI_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

// Joins the processes that were started together. Once per process.
int cm_start(void);
// Leaves them; every process must come here. Nothing more may be called afterwards.
int cm_finish(void);
// Ends all processes with this exit status, at once.
void cm_abort(int status);

int cm_rank(void);
int cm_size(void);
// The version of the MPI library, a constant text.
const char *cm_library(void);
// Why the last call on this process failed, UTF-8, valid until the next failure.
const char *cm_last_error(void);

// Waits until every process has come here.
int cm_barrier(void);
// Sums each number over all processes, in place; the same bits everywhere.
int cm_sum_doubles(double *values, int64_t count);
// Copies the bytes of process `root` to all.
int cm_broadcast(void *bytes, int64_t count, int root);

// Queues the sum of float32 numbers over all processes, in place. Every process must queue the same sums in the same order. The
// memory must stay until `cm_wait` has returned.
int cm_queue_sum(float *values, int64_t count);
// Waits for all queued sums.
int cm_wait(void);

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif

#endif
