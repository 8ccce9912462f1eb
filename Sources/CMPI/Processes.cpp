#include "include/cmpi.h"

// The C interface alone: the old C++ one would want a library of its own.
#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <mpi.h>

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

namespace {

// Open MPI counts in int; longer buffers go in parts.
constexpr int64_t mostPerCall = int64_t(1) << 28;

std::mutex errorLock;
std::string lastError;

int fail(const std::string &reason) {
    std::lock_guard<std::mutex> guard(errorLock);
    lastError = reason;
    return 1;
}

int outcome(int code, const char *what) {
    if (code == MPI_SUCCESS) { return 0; }
    char text[MPI_MAX_ERROR_STRING];
    int length = 0;
    MPI_Error_string(code, text, &length);
    return fail(std::string(what) + ": " + std::string(text, static_cast<size_t>(length)));
}

struct Sum {
    float *values;
    int64_t count;
};

// Sums one buffer after the other on a thread of its own.
class Queue {
  public:
    void push(Sum sum) {
        std::lock_guard<std::mutex> guard(lock_);
        if (!thread_.joinable()) { thread_ = std::thread([this] { run(); }); }
        waiting_.push_back(sum);
        changed_.notify_all();
    }

    int wait() {
        std::unique_lock<std::mutex> guard(lock_);
        changed_.wait(guard, [this] { return waiting_.empty() && !busy_; });
        int status = status_;
        status_ = 0;
        return status;
    }

    void stop() {
        {
            std::lock_guard<std::mutex> guard(lock_);
            stopped_ = true;
            changed_.notify_all();
        }
        if (thread_.joinable()) { thread_.join(); }
    }

  private:
    void run() {
        std::unique_lock<std::mutex> guard(lock_);
        while (true) {
            changed_.wait(guard, [this] { return stopped_ || !waiting_.empty(); });
            if (waiting_.empty()) { return; }
            Sum sum = waiting_.front();
            waiting_.pop_front();
            busy_ = true;
            guard.unlock();
            int status = 0;
            for (int64_t at = 0; at < sum.count && status == 0; at += mostPerCall) {
                auto part = static_cast<int>(std::min(mostPerCall, sum.count - at));
                status = outcome(
                    MPI_Allreduce(MPI_IN_PLACE, sum.values + at, part, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD),
                    "the sum of gradients over all processes failed");
            }
            guard.lock();
            busy_ = false;
            if (status != 0) { status_ = status; }
            changed_.notify_all();
        }
    }

    std::mutex lock_;
    std::condition_variable changed_;
    std::deque<Sum> waiting_;
    std::thread thread_;
    bool busy_ = false, stopped_ = false;
    int status_ = 0;
};

// Never destroyed: its thread may still be inside MPI when the process ends in a hurry.
Queue &queue() {
    static auto *one = new Queue;
    return *one;
}

} // namespace

extern "C" {

int cm_start(void) {
    int started = 0;
    MPI_Initialized(&started);
    if (started) { return 0; }
    int given = 0;
    int code = MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &given);
    if (code != MPI_SUCCESS) { return outcome(code, "MPI could not be started"); }
    if (given < MPI_THREAD_SERIALIZED) { return fail("this MPI library does not allow calls from several threads"); }
    // Errors come back as codes, to be told in words, instead of ending the process inside the library.
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    return 0;
}

int cm_finish(void) {
    queue().wait();
    queue().stop();
    return outcome(MPI_Finalize(), "MPI could not be left");
}

void cm_abort(int status) {
    MPI_Abort(MPI_COMM_WORLD, status);
    std::_Exit(status);
}

int cm_rank(void) {
    int rank = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    return rank;
}

int cm_size(void) {
    int size = 1;
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    return size;
}

const char *cm_library(void) {
    static char text[MPI_MAX_LIBRARY_VERSION_STRING] = "";
    int length = 0;
    if (text[0] == 0) { MPI_Get_library_version(text, &length); }
    return text;
}

const char *cm_last_error(void) {
    std::lock_guard<std::mutex> guard(errorLock);
    static std::string copy;
    copy = lastError;
    return copy.c_str();
}

int cm_barrier(void) {
    if (int status = queue().wait()) { return status; }
    return outcome(MPI_Barrier(MPI_COMM_WORLD), "waiting for the other processes failed");
}

int cm_sum_doubles(double *values, int64_t count) {
    if (int status = queue().wait()) { return status; }
    return outcome(
        MPI_Allreduce(MPI_IN_PLACE, values, static_cast<int>(count), MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD),
        "the sum over all processes failed");
}

int cm_broadcast(void *bytes, int64_t count, int root) {
    if (int status = queue().wait()) { return status; }
    for (int64_t at = 0; at < count; at += mostPerCall) {
        auto part = static_cast<int>(std::min(mostPerCall, count - at));
        int status = outcome(
            MPI_Bcast(static_cast<char *>(bytes) + at, part, MPI_BYTE, root, MPI_COMM_WORLD),
            "handing out the first process's weights failed");
        if (status != 0) { return status; }
    }
    return 0;
}

int cm_queue_sum(float *values, int64_t count) {
    queue().push({values, count});
    return 0;
}

int cm_wait(void) { return queue().wait(); }

} // extern "C"
