#include "thread_pool.h"

#include <immintrin.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>

namespace pretrain {
namespace {

/** Numbers below 2^-126 count as 0 while a part is computed, on every thread alike: TensorFlow sets this on its own threads only. */
class FlushTiny {
 public:
  FlushTiny() : before_(_mm_getcsr()) { _mm_setcsr(before_ | 0x8040); }
  ~FlushTiny() { _mm_setcsr(before_); }

 private:
  const unsigned before_;
};

class ThreadPool {
 public:
  explicit ThreadPool(int helpers) : helpers_(helpers) {
    for (int i = 0; i < helpers; i++) std::thread([this] { help(); }).detach();
  }

  void run(int64_t count, const std::function<void(int64_t)>& work) {
    std::unique_lock<std::mutex> turn(turn_, std::try_to_lock);
    if (helpers_ == 0 || count == 1 || !turn.owns_lock()) {
      FlushTiny flush;
      for (int64_t i = 0; i < count; i++) work(i);
      return;
    }
    work_ = &work;
    count_ = count;
    next_.store(0, std::memory_order_relaxed);
    busy_.store(helpers_, std::memory_order_relaxed);
    {
      std::lock_guard<std::mutex> lock(sleep_);
      round_.fetch_add(1, std::memory_order_release);
    }
    wake_.notify_all();
    takeParts();
    while (busy_.load(std::memory_order_acquire) != 0) _mm_pause(); // at most the length of one part
  }

 private:
  void takeParts() {
    FlushTiny flush;
    for (int64_t i; (i = next_.fetch_add(1, std::memory_order_relaxed)) < count_;) (*work_)(i);
  }

  /** The life of a helper. Every helper answers every round, so that `work_` outlives its last reader. */
  void help() {
    for (int64_t seen = 0;; seen++) {
      awaitRoundAfter(seen);
      takeParts();
      busy_.fetch_sub(1, std::memory_order_release);
    }
  }

  /** The ops of a step follow each other within microseconds: a helper that slept each time would often wake too late. */
  void awaitRoundAfter(int64_t seen) {
    const auto patience = std::chrono::steady_clock::now() + std::chrono::microseconds(30);
    do {
      for (int i = 0; i < 32; i++) {
        if (round_.load(std::memory_order_acquire) != seen) return;
        _mm_pause();
      }
    } while (std::chrono::steady_clock::now() < patience);
    std::unique_lock<std::mutex> lock(sleep_);
    wake_.wait(lock, [&] { return round_.load(std::memory_order_acquire) != seen; });
  }

  const int helpers_;
  std::mutex turn_, sleep_;
  std::condition_variable wake_;
  const std::function<void(int64_t)>* work_ = nullptr;
  int64_t count_ = 0;
  std::atomic<int64_t> next_{0}, round_{0};
  std::atomic<int> busy_{0};
};

int threads() {
  const char* wanted = std::getenv("TF_NUM_INTRAOP_THREADS");
  const int number = wanted == nullptr ? 0 : std::atoi(wanted);
  return number > 0 ? number : static_cast<int>(std::thread::hardware_concurrency());
}

}  // namespace

void inParallel(int64_t count, const std::function<void(int64_t)>& work) {
  static ThreadPool& pool = *new ThreadPool(threads() - 1); // never deleted: its threads end with the process
  if (count > 0) pool.run(count, work);
}

}  // namespace pretrain
