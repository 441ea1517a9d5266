#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "failure.h"

namespace mishards {

using Deadline = std::chrono::steady_clock::time_point;

/**
 * Work in phases; a phase is a number of independent slices that any threads run. The pool calls `run` from its threads
 * and `nextPhase` when every slice of a phase is done. What `run` throws fails the job. The job ends exactly once, with
 * `finish`, after its last running slice has returned.
 */
class Job {
 public:
  virtual ~Job() = default;

  /** One slice, below `sliceCount` of the phase. Long slices look at `stopped` now and then and return early. */
  virtual void run(uint32_t slice) = 0;
  /** Sets up the next phase (`setPhase`) and returns true, or false when the work is done. Other slices do not run meanwhile. */
  virtual bool nextPhase() { return false; }
  /** The outcome is known. Called without locks, from any thread. */
  virtual void finish() = 0;

  const std::atomic<bool>& stopped() const { return stopped_; }
  Code outcome() const { return outcome_; }
  const std::string& message() const { return message_; }

  int32_t priority = 0;
  bool hasDeadline = false;
  Deadline deadline{};

 protected:
  /** Slices of the coming phase, and how many may run at the same time. */
  void setPhase(uint32_t sliceCount, uint32_t parallel) {
    sliceCount_ = sliceCount;
    parallel_ = parallel;
  }

 private:
  friend class ThreadPool;

  std::atomic<bool> stopped_{false};
  // All below belong to the pool and its lock.
  uint32_t sliceCount_ = 0;
  uint32_t parallel_ = 1;
  uint32_t nextSlice_ = 0;
  uint32_t running_ = 0;
  bool started_ = false;
  bool advancing_ = false;
  Code outcome_ = Code::kOk;
  std::string message_;
};

/** Threads that run the slices of the job of highest priority first, older jobs before younger ones. */
class ThreadPool {
 public:
  ThreadPool(uint32_t threadCount, uint32_t queueMax);
  /** Stops every job and waits for the threads. */
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  /**
   * Takes a job with at least one slice. A `bounded` one is refused with `OVERLOADED` when `queueMax` jobs wait and no
   * thread is idle, one whose deadline has passed with `DEADLINE_EXCEEDED`. Throws `Failure`; the job is not finished then.
   */
  void submit(std::shared_ptr<Job> job, bool bounded);
  /** Ends a job with this outcome as soon as its running slices return; nothing when it has ended. */
  void stop(const std::shared_ptr<Job>& job, Code code, const std::string& message);
  void stopAll(Code code, const std::string& message);

  uint32_t threadCount() const { return static_cast<uint32_t>(threads_.size()); }

 private:
  using JobList = std::list<std::shared_ptr<Job>>;

  void work();
  void watchDeadlines();
  bool takeSlice(std::shared_ptr<Job>* job, uint32_t* slice);
  void fail(Job& job, Code code, const std::string& message);
  bool isOver(const Job& job) const;
  void remove(const std::shared_ptr<Job>& job);
  void settle(std::unique_lock<std::mutex>& lock, const std::shared_ptr<Job>& job);

  const uint32_t queueMax_;
  std::mutex mutex_;
  std::condition_variable workReady_;
  std::condition_variable deadlineChanged_;
  JobList jobs_;
  std::multimap<Deadline, std::shared_ptr<Job>> deadlines_;
  uint32_t waiting_ = 0;
  uint32_t idle_ = 0;
  bool closing_ = false;
  std::vector<std::thread> threads_;
  std::thread watcher_;
};

}  // namespace mishards
