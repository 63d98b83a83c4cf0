// The only door to Vulkan. Its loader is opened at run time: a machine without one, or without a
// driver, is told as such and goes on.
#pragma once

#include <almanac/engine/gpu_options.h>

#include <functional>
#include <memory>

namespace almanac {

// One thread at a time. What a driver does goes on within its calls: some start threads.
class Vulkan {
 public:
  // Of the options the loader, and whether it holds devices.
  explicit Vulkan(const GpuWatchOptions& options);
  ~Vulkan();
  Vulkan(const Vulkan&) = delete;
  Vulkan& operator=(const Vulkan&) = delete;

  // Asks the driver for all devices and their memory: up to some milliseconds. After a device was
  // lost, a driver did not answer, or there was none, the next call begins anew with it, so that
  // one that was started again, or installed meanwhile, is seen.
  [[nodiscard]] GpuReading read();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// Reads by a driver that is opened by the first call; called and destroyed on one thread.
[[nodiscard]] std::function<GpuReading()> vulkan_reader(const GpuWatchOptions& options);

}  // namespace almanac
