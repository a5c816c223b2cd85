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

/**
 * One round at a time: an operation's parts, taken by its caller and by every helper that comes while there are some. The caller waits
 * for those inside, never for one that sleeps or that the system keeps from running: on a busy machine it does the parts alone.
 */
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
    gate_.store((gate_.load() / kRound + 1) * kRound + kOpen); // nobody is inside: the last round ended so
    if (sleepers_.load() != 0) {
      { std::lock_guard<std::mutex> lock(sleep_); } // who has looked at the gate is asleep by now
      wake_.notify_all();
    }
    takeParts();
    gate_.fetch_and(~kOpen);
    while (gate_.load() % kOpen != 0) _mm_pause(); // at most the length of one part
  }

 private:
  static constexpr uint64_t kOpen = 1 << 15, kRound = 1 << 16; // below them: how many helpers are inside

  void takeParts() {
    FlushTiny flush;
    for (int64_t i; (i = next_.fetch_add(1, std::memory_order_relaxed)) < count_;) (*work_)(i);
  }

  /** The life of a helper. */
  void help() {
    for (uint64_t last = 0;;) {
      last = enterRoundAfter(last);
      takeParts();
      gate_.fetch_sub(1);
    }
  }

  /** The ops of a step follow each other within microseconds: a helper that slept each time would often wake too late. */
  uint64_t enterRoundAfter(uint64_t last) {
    for (;;) {
      const auto patience = std::chrono::steady_clock::now() + std::chrono::microseconds(30);
      do {
        for (int i = 0; i < 32; i++) {
          if (const uint64_t round = enter(last)) return round;
          _mm_pause();
        }
      } while (std::chrono::steady_clock::now() < patience);
      std::unique_lock<std::mutex> lock(sleep_);
      sleepers_.fetch_add(1);
      wake_.wait(lock, [&] { return isOpen(gate_.load(), last); });
      sleepers_.fetch_sub(1);
    }
  }

  /** The number of the round that it is in now; 0 when there is none to be entered. */
  uint64_t enter(uint64_t last) {
    uint64_t gate = gate_.load();
    while (isOpen(gate, last)) {
      if (gate_.compare_exchange_weak(gate, gate + 1)) return gate / kRound;
    }
    return 0;
  }

  static bool isOpen(uint64_t gate, uint64_t last) { return (gate & kOpen) != 0 && gate / kRound != last; }

  const int helpers_;
  std::mutex turn_, sleep_;
  std::condition_variable wake_;
  const std::function<void(int64_t)>* work_ = nullptr;
  int64_t count_ = 0;
  std::atomic<int64_t> next_{0};
  std::atomic<uint64_t> gate_{0};
  std::atomic<int> sleepers_{0};
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
