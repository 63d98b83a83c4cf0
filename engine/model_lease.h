// The right to use a model: it is loaded, and stays so as long as this does.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace almanac {

// Of one owner, on any thread; may outlive the engine.
class ModelLease {
 public:
  ModelLease() = default;
  ModelLease(std::string wanted, std::string model, std::string gpu,
             std::shared_ptr<const std::atomic<bool>> is_lost, std::function<void()> give_back)
      : wanted_(std::move(wanted)),
        model_(std::move(model)),
        gpu_(std::move(gpu)),
        is_lost_(std::move(is_lost)),
        give_back_(std::move(give_back)) {}
  ModelLease(ModelLease&& other) noexcept { swap(other); }
  ModelLease& operator=(ModelLease&& other) noexcept {
    ModelLease taken(std::move(other));
    swap(taken);
    return *this;
  }
  ~ModelLease() {
    if (give_back_) give_back_();
  }

  // What is loaded: what was asked for, or one of its alternatives.
  [[nodiscard]] const std::string& model() const { return model_; }
  [[nodiscard]] bool is_degraded() const { return model_ != wanted_; }
  [[nodiscard]] const std::string& gpu() const { return gpu_; }
  // Its GPU went, and the model with it.
  [[nodiscard]] bool is_lost() const { return is_lost_ != nullptr && *is_lost_; }

 private:
  void swap(ModelLease& other) noexcept {
    std::swap(wanted_, other.wanted_);
    std::swap(model_, other.model_);
    std::swap(gpu_, other.gpu_);
    std::swap(is_lost_, other.is_lost_);
    std::swap(give_back_, other.give_back_);
  }

  std::string wanted_;
  std::string model_;
  std::string gpu_;
  std::shared_ptr<const std::atomic<bool>> is_lost_;
  std::function<void()> give_back_;
};

}  // namespace almanac
