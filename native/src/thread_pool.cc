#include "thread_pool.h"

#include <algorithm>

#include "scheduling.h"

namespace mishards {
namespace {

Failure deadlineFailure() {
  return Failure(Code::kDeadlineExceeded, "the deadline passed before the search was done; allow more time or search less");
}

}  // namespace

ThreadPool::ThreadPool(uint32_t threadCount, uint32_t queueMax) : queueMax_(queueMax) {
  threads_.reserve(threadCount);
  for (uint32_t index = 0; index < threadCount; index++) threads_.emplace_back([this] { work(); });
  watcher_ = std::thread([this] { watchDeadlines(); });
}

ThreadPool::~ThreadPool() {
  stopAll(Code::kCancelled, "the kernel was disposed");
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    closing_ = true;
  }
  workReady_.notify_all();
  deadlineChanged_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  watcher_.join();
}

void ThreadPool::submit(std::shared_ptr<Job> job, bool bounded) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (closing_) throw Failure(Code::kServiceNotReady, "the kernel is being disposed");
  if (bounded && waiting_ >= queueMax_ + idle_) {
    throw Failure(Code::kOverloaded, std::to_string(waiting_) + " searches and builds wait for the kernel's " +
                                         std::to_string(threads_.size()) + " threads, the limit is " +
                                         std::to_string(queueMax_) + "; retry later");
  }
  if (job->hasDeadline && std::chrono::steady_clock::now() >= job->deadline) throw deadlineFailure();
  const auto after = std::find_if(jobs_.begin(), jobs_.end(),
                                  [&](const std::shared_ptr<Job>& other) { return other->priority < job->priority; });
  jobs_.insert(after, job);
  waiting_++;
  if (job->hasDeadline) {
    deadlines_.emplace(job->deadline, job);
    deadlineChanged_.notify_one();
  }
  const uint32_t wanted = std::min(job->sliceCount_, job->parallel_);
  lock.unlock();
  if (wanted == 1) {
    workReady_.notify_one();
  } else {
    workReady_.notify_all();
  }
}

void ThreadPool::stop(const std::shared_ptr<Job>& job, Code code, const std::string& message) {
  std::unique_lock<std::mutex> lock(mutex_);
  fail(*job, code, message);
  settle(lock, job);
}

void ThreadPool::stopAll(Code code, const std::string& message) {
  std::vector<std::shared_ptr<Job>> all;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    all.assign(jobs_.begin(), jobs_.end());
  }
  for (const std::shared_ptr<Job>& job : all) stop(job, code, message);
}

void ThreadPool::fail(Job& job, Code code, const std::string& message) {
  if (job.outcome_ != Code::kOk) return;
  job.outcome_ = code;
  job.message_ = message;
  job.stopped_.store(true, std::memory_order_relaxed);
}

bool ThreadPool::isOver(const Job& job) const {
  if (job.running_ > 0 || job.advancing_) return false;
  return job.outcome_ != Code::kOk || job.nextSlice_ >= job.sliceCount_;
}

void ThreadPool::remove(const std::shared_ptr<Job>& job) {
  jobs_.remove(job);
  if (!job->started_) waiting_--;
  if (!job->hasDeadline) return;
  const auto range = deadlines_.equal_range(job->deadline);
  const auto found = std::find_if(range.first, range.second, [&](const auto& entry) { return entry.second == job; });
  if (found != range.second) deadlines_.erase(found);
}

/** Ends or advances a job whose slices are all done. Returns with the lock held; it is released in between. */
void ThreadPool::settle(std::unique_lock<std::mutex>& lock, const std::shared_ptr<Job>& job) {
  if (!isOver(*job) || std::find(jobs_.begin(), jobs_.end(), job) == jobs_.end()) return;
  if (job->outcome_ == Code::kOk) {
    job->advancing_ = true;
    lock.unlock();
    bool more = false;
    Failure failure(Code::kOk, "");
    try {
      more = job->nextPhase();
    } catch (...) {
      failure = currentFailure();
    }
    lock.lock();
    job->advancing_ = false;
    if (failure.code() != Code::kOk) fail(*job, failure.code(), failure.message());
    if (more && job->outcome_ == Code::kOk) {
      job->nextSlice_ = 0;
      workReady_.notify_all();
      return;
    }
  }
  remove(job);
  lock.unlock();
  job->finish();
  lock.lock();
}

bool ThreadPool::takeSlice(std::shared_ptr<Job>* job, uint32_t* slice) {
  for (const std::shared_ptr<Job>& candidate : jobs_) {
    Job& open = *candidate;
    if (open.outcome_ != Code::kOk || open.advancing_) continue;
    if (open.nextSlice_ >= open.sliceCount_ || open.running_ >= open.parallel_) continue;
    if (!open.started_) waiting_--;
    open.started_ = true;
    open.running_++;
    *slice = open.nextSlice_++;
    *job = candidate;
    return true;
  }
  return false;
}

void ThreadPool::work() {
  takeLongTurns();
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    std::shared_ptr<Job> job;
    uint32_t slice = 0;
    if (!takeSlice(&job, &slice)) {
      if (closing_) return;
      idle_++;
      workReady_.wait(lock);
      idle_--;
      continue;
    }
    lock.unlock();
    Failure failure(Code::kOk, "");
    try {
      job->run(slice);
    } catch (...) {
      failure = currentFailure();
    }
    lock.lock();
    job->running_--;
    if (failure.code() != Code::kOk) fail(*job, failure.code(), failure.message());
    settle(lock, job);
  }
}

void ThreadPool::watchDeadlines() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!closing_) {
    if (deadlines_.empty()) {
      deadlineChanged_.wait(lock);
      continue;
    }
    const auto first = deadlines_.begin();
    if (std::chrono::steady_clock::now() < first->first) {
      // A copy: the entry may be gone when the wait ends.
      const Deadline until = first->first;
      deadlineChanged_.wait_until(lock, until);
      continue;
    }
    const std::shared_ptr<Job> job = first->second;
    deadlines_.erase(first);
    const Failure failure = deadlineFailure();
    fail(*job, failure.code(), failure.message());
    settle(lock, job);
  }
}

}  // namespace mishards
