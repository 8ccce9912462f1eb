// A computation of many short stages on libtorch's threads, woken once.
//
// Waking threads for each operation costs as much as the operations of a token do. Here they are woken once and draw tickets: the
// tickets of a stage may be worked on side by side, those of the next wait until all of the one before are done. A thread that
// comes late or is taken off its core holds back one ticket at most, and one thread alone does everything: nothing can lock up.
#ifndef CTORCH_TICKETS_HPP
#define CTORCH_TICKETS_HPP

#include "InParallel.hpp"

#include <atomic>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace ctorch {

class Tickets {
public:
    // Adds a stage of `count` tickets; `work` is called with the number of each.
    void add(int64_t count, std::function<void(int64_t)> work) {
        if (count <= 0) { return; }
        stages.push_back({total, count, std::move(work)});
        total += count;
    }

    // Runs all stages; throws what a stage threw first.
    void run() {
        int64_t threads = std::min<int64_t>(at::get_num_threads(), total);
        inParallel(threads, 1, [&](int64_t, int64_t) { draw(); });
        if (fault) { std::rethrow_exception(fault); }
    }

private:
    struct Stage {
        int64_t first;
        int64_t count;
        std::function<void(int64_t)> work;
    };
    std::vector<Stage> stages;
    int64_t total = 0;
    std::exception_ptr fault;
    std::mutex guard;
    alignas(64) std::atomic<int64_t> next{0};
    alignas(64) std::atomic<int64_t> done{0};

    void draw() {
        size_t stage = 0;
        for (;;) {
            int64_t ticket = next.fetch_add(1, std::memory_order_relaxed);
            if (ticket >= total) { return; }
            while (ticket >= stages[stage].first + stages[stage].count) { stage++; }
            await(stages[stage].first);
            try {
                stages[stage].work(ticket - stages[stage].first);
            } catch (...) {
                std::lock_guard<std::mutex> lock(guard);
                if (!fault) { fault = std::current_exception(); }
            }
            done.fetch_add(1, std::memory_order_release);
        }
    }

    // Until that many tickets are done: spinning for some ten microseconds, then giving the core away.
    void await(int64_t count) {
        for (int spins = 0; done.load(std::memory_order_acquire) < count; spins++) {
            if (spins < 2000) {
#if defined(__x86_64__)
                __builtin_ia32_pause();
#elif defined(__aarch64__)
                asm volatile("yield");
#endif
            } else {
                std::this_thread::yield();
            }
        }
    }
};

} // namespace ctorch

#endif
