#include <almanac/engine/gpu_vulkan.h>

#include <vulkan/vulkan_core.h>

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace almanac {
namespace {

// What is asked for more often than it settles is given up.
constexpr int enumerations_max = 4;

std::string text_of(VkResult result) {
  switch (result) {
    case VK_ERROR_OUT_OF_HOST_MEMORY: return "out of the machine's memory";
    case VK_ERROR_OUT_OF_DEVICE_MEMORY: return "out of its memory";
    case VK_ERROR_INITIALIZATION_FAILED: return "it does not start";
    case VK_ERROR_DEVICE_LOST: return "the device is lost";
    case VK_ERROR_INCOMPATIBLE_DRIVER: return "there is no driver";
    case VK_INCOMPLETE: return "its devices change all the time";
    default: return "Vulkan error " + std::to_string(static_cast<int>(result));
  }
}

GpuKind kind_of(VkPhysicalDeviceType type) {
  switch (type) {
    case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU: return GpuKind::integrated;
    case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU: return GpuKind::discrete;
    case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU: return GpuKind::virtual_gpu;
    case VK_PHYSICAL_DEVICE_TYPE_CPU: return GpuKind::cpu;
    default: return GpuKind::other;
  }
}

using Uuid = std::array<std::uint8_t, VK_UUID_SIZE>;

// "6e76696c-6c61-…", as drivers' own tools write it.
std::string text_of(const Uuid& uuid) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < uuid.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += digits[uuid[i] >> 4U];
    text += digits[uuid[i] & 15U];
  }
  return text;
}

// The functions of an instance that are used here.
struct Functions {
  PFN_vkDestroyInstance destroy_instance = nullptr;
  PFN_vkEnumeratePhysicalDevices enumerate_devices = nullptr;
  PFN_vkEnumerateDeviceExtensionProperties enumerate_extensions = nullptr;
  PFN_vkGetPhysicalDeviceProperties properties = nullptr;
  PFN_vkGetPhysicalDeviceProperties2 properties2 = nullptr;
  PFN_vkGetPhysicalDeviceMemoryProperties memory = nullptr;
  PFN_vkGetPhysicalDeviceMemoryProperties2 memory2 = nullptr;
  PFN_vkCreateDevice create_device = nullptr;
  PFN_vkGetDeviceProcAddr of_device = nullptr;

  // The second ones are missing where Vulkan is 1.0.
  [[nodiscard]] bool are_whole() const {
    return destroy_instance != nullptr && enumerate_devices != nullptr &&
           enumerate_extensions != nullptr && properties != nullptr && memory != nullptr &&
           create_device != nullptr && of_device != nullptr;
  }
};

// A logical device, for nothing but to see whether it still works.
class HeldDevice {
 public:
  static std::optional<HeldDevice> create(const Functions& functions, VkPhysicalDevice of,
                                          VkResult& result) {
    const float priority = 0;
    const VkDeviceQueueCreateInfo queue{.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                        .pNext = nullptr,
                                        .flags = 0,
                                        .queueFamilyIndex = 0,
                                        .queueCount = 1,
                                        .pQueuePriorities = &priority};
    VkDeviceCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
    info.queueCreateInfoCount = 1;
    info.pQueueCreateInfos = &queue;
    VkDevice device = nullptr;
    result = functions.create_device(of, &info, nullptr, &device);
    if (result != VK_SUCCESS) return std::nullopt;
    return HeldDevice(functions, device);
  }
  HeldDevice(HeldDevice&& from) noexcept
      : device_(std::exchange(from.device_, nullptr)), wait_(from.wait_), destroy_(from.destroy_) {}
  HeldDevice& operator=(HeldDevice&&) = delete;
  ~HeldDevice() {
    if (device_ != nullptr && destroy_ != nullptr) destroy_(device_, nullptr);
  }

  // Nothing runs on it, so that this returns at once.
  [[nodiscard]] VkResult state() const { return wait_ == nullptr ? VK_SUCCESS : wait_(device_); }

 private:
  HeldDevice(const Functions& functions, VkDevice device) : device_(device) {
    wait_ = reinterpret_cast<PFN_vkDeviceWaitIdle>(functions.of_device(device, "vkDeviceWaitIdle"));
    destroy_ =
        reinterpret_cast<PFN_vkDestroyDevice>(functions.of_device(device, "vkDestroyDevice"));
  }

  VkDevice device_;
  PFN_vkDeviceWaitIdle wait_ = nullptr;
  PFN_vkDestroyDevice destroy_ = nullptr;
};

// What is known of a device beside its memory.
struct Described {
  GpuDeviceReading reading;
  std::uint32_t version = 0;
};

}  // namespace

struct Vulkan::Parts {
  explicit Parts(const GpuWatchOptions& from) : options(from) {}
  ~Parts() { close(); }

  // Nothing, or why there is no instance.
  [[nodiscard]] std::string open();
  void close();
  [[nodiscard]] bool find_functions();
  [[nodiscard]] VkResult enumerate(std::vector<VkPhysicalDevice>& devices) const;
  [[nodiscard]] Described describe(VkPhysicalDevice device) const;
  [[nodiscard]] bool has_budget(VkPhysicalDevice device) const;
  void read_memory(VkPhysicalDevice device, Described& described) const;
  void look_for_loss(VkPhysicalDevice device, GpuDeviceReading& reading);

  // The pointer is of the right type where the name is.
  template <class Function>
  void find(Function& function, const char* name) const {
    function = reinterpret_cast<Function>(of_instance(instance, name));
  }

  GpuWatchOptions options;
  void* library = nullptr;  // stays open: a driver's threads may still be in it
  PFN_vkGetInstanceProcAddr of_instance = nullptr;
  VkInstance instance = nullptr;
  Functions functions;
  std::map<std::string, HeldDevice> held;  // by identity
};

std::string Vulkan::Parts::open() {
  if (instance != nullptr) return {};
  if (library == nullptr) library = ::dlopen(options.loader.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return "there is no Vulkan loader (" + options.loader + ")";
  of_instance =
      reinterpret_cast<PFN_vkGetInstanceProcAddr>(::dlsym(library, "vkGetInstanceProcAddr"));
  if (of_instance == nullptr) return options.loader + " is no Vulkan loader";
  PFN_vkCreateInstance create = nullptr;
  PFN_vkEnumerateInstanceVersion version = nullptr;
  find(create, "vkCreateInstance");
  find(version, "vkEnumerateInstanceVersion");
  if (create == nullptr) return options.loader + " is no Vulkan loader";
  VkApplicationInfo application{};
  application.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO;
  application.pApplicationName = "almanac";
  // A loader of 1.0 refuses more.
  application.apiVersion = version == nullptr ? VK_API_VERSION_1_0 : VK_API_VERSION_1_1;
  VkInstanceCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
  info.pApplicationInfo = &application;
  const VkResult result = create(&info, nullptr, &instance);
  if (result != VK_SUCCESS) {
    instance = nullptr;
    return text_of(result);
  }
  if (find_functions()) return {};
  close();
  return "the driver misses functions";
}

void Vulkan::Parts::close() {
  held.clear();
  if (instance != nullptr && functions.destroy_instance != nullptr) {
    functions.destroy_instance(instance, nullptr);
  }
  instance = nullptr;
  functions = {};
}

bool Vulkan::Parts::find_functions() {
  find(functions.destroy_instance, "vkDestroyInstance");
  find(functions.enumerate_devices, "vkEnumeratePhysicalDevices");
  find(functions.enumerate_extensions, "vkEnumerateDeviceExtensionProperties");
  find(functions.properties, "vkGetPhysicalDeviceProperties");
  find(functions.properties2, "vkGetPhysicalDeviceProperties2");
  find(functions.memory, "vkGetPhysicalDeviceMemoryProperties");
  find(functions.memory2, "vkGetPhysicalDeviceMemoryProperties2");
  find(functions.create_device, "vkCreateDevice");
  find(functions.of_device, "vkGetDeviceProcAddr");
  return functions.are_whole();
}

VkResult Vulkan::Parts::enumerate(std::vector<VkPhysicalDevice>& devices) const {
  VkResult result = VK_INCOMPLETE;
  for (int i = 0; i < enumerations_max && result == VK_INCOMPLETE; ++i) {
    std::uint32_t count = 0;
    result = functions.enumerate_devices(instance, &count, nullptr);
    if (result != VK_SUCCESS) return result;
    devices.resize(count);
    if (count == 0) return VK_SUCCESS;
    result = functions.enumerate_devices(instance, &count, devices.data());
    devices.resize(count);
  }
  return result;
}

// Of a device without an identity of its own: what else it says of itself, and hopes that there is
// no second one like it.
Described Vulkan::Parts::describe(VkPhysicalDevice device) const {
  VkPhysicalDeviceProperties plain{};
  functions.properties(device, &plain);
  Described described{.reading = {}, .version = plain.apiVersion};
  described.reading.name =
      std::string(plain.deviceName, ::strnlen(plain.deviceName, sizeof(plain.deviceName)));
  described.reading.kind = kind_of(plain.deviceType);
  Uuid uuid{};
  if (functions.properties2 != nullptr && plain.apiVersion >= VK_API_VERSION_1_1) {
    VkPhysicalDeviceIDProperties identity{};
    identity.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES;
    VkPhysicalDeviceProperties2 more{};
    more.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2;
    more.pNext = &identity;
    functions.properties2(device, &more);
    std::ranges::copy(identity.deviceUUID, uuid.begin());
  }
  if (uuid == Uuid{}) {
    const std::array words{plain.vendorID, plain.deviceID};
    std::memcpy(uuid.data(), words.data(), sizeof(words));
  }
  described.reading.device = text_of(uuid);
  return described;
}

bool Vulkan::Parts::has_budget(VkPhysicalDevice device) const {
  std::uint32_t count = 0;
  if (functions.enumerate_extensions(device, nullptr, &count, nullptr) != VK_SUCCESS) return false;
  std::vector<VkExtensionProperties> extensions(count);
  const VkResult result =
      functions.enumerate_extensions(device, nullptr, &count, extensions.data());
  if (result != VK_SUCCESS && result != VK_INCOMPLETE) return false;
  extensions.resize(count);
  return std::ranges::any_of(extensions, [](const VkExtensionProperties& one) {
    return std::string_view(one.extensionName) == VK_EXT_MEMORY_BUDGET_EXTENSION_NAME;
  });
}

void Vulkan::Parts::read_memory(VkPhysicalDevice device, Described& described) const {
  VkPhysicalDeviceMemoryBudgetPropertiesEXT budget{};
  budget.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT;
  VkPhysicalDeviceMemoryProperties2 asked{};
  asked.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2;
  const bool says_more =
      functions.memory2 != nullptr && described.version >= VK_API_VERSION_1_1 && has_budget(device);
  if (says_more) {
    asked.pNext = &budget;
    functions.memory2(device, &asked);
  } else {
    functions.memory(device, &asked.memoryProperties);
  }
  const VkPhysicalDeviceMemoryProperties& memory = asked.memoryProperties;
  const std::size_t count = std::min<std::size_t>(memory.memoryHeapCount, VK_MAX_MEMORY_HEAPS);
  for (std::size_t i = 0; i < count; ++i) {
    GpuHeapReading heap;
    heap.is_local = (memory.memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) != 0;
    heap.memory.size = memory.memoryHeaps[i].size;
    // A budget of 0 is none: the extension says so.
    heap.memory.is_estimate = !says_more || budget.heapBudget[i] == 0;
    heap.memory.own = heap.memory.is_estimate ? 0 : budget.heapUsage[i];
    heap.memory.budget =
        heap.memory.is_estimate ? estimated_budget(heap.memory.size) : budget.heapBudget[i];
    described.reading.heaps.push_back(heap);
  }
}

void Vulkan::Parts::look_for_loss(VkPhysicalDevice device, GpuDeviceReading& reading) {
  if (!options.holds_devices || reading.kind == GpuKind::cpu) return;
  VkResult result = VK_SUCCESS;
  if (const auto known = held.find(reading.device); known != held.end()) {
    result = known->second.state();
  } else if (auto created = HeldDevice::create(functions, device, result)) {
    held.emplace(reading.device, std::move(*created));
  }
  // No room for a logical device is no loss of the device.
  if (result == VK_ERROR_OUT_OF_DEVICE_MEMORY || result == VK_ERROR_OUT_OF_HOST_MEMORY) return;
  if (result != VK_SUCCESS) reading.trouble = text_of(result);
}

Vulkan::Vulkan(const GpuWatchOptions& options) : parts_(std::make_unique<Parts>(options)) {}
Vulkan::~Vulkan() = default;

GpuReading Vulkan::read() {
  GpuReading reading;
  reading.trouble = parts_->open();
  if (!reading.trouble.empty()) return reading;
  std::vector<VkPhysicalDevice> devices;
  const VkResult result = parts_->enumerate(devices);
  bool begins_anew = devices.empty();
  if (result != VK_SUCCESS) {
    // What the loader says where no driver names a device.
    const bool has_none = result == VK_ERROR_INITIALIZATION_FAILED;
    reading.trouble = has_none ? "no driver has a device" : text_of(result);
    parts_->close();
    return reading;
  }
  for (VkPhysicalDevice device : devices) {
    Described described = parts_->describe(device);
    // Of two that say they are the same one, one is looked at.
    const auto twin =
        std::ranges::find(reading.devices, described.reading.device, &GpuDeviceReading::device);
    if (twin != reading.devices.end()) continue;
    parts_->read_memory(device, described);
    parts_->look_for_loss(device, described.reading);
    begins_anew = begins_anew || !described.reading.trouble.empty();
    reading.devices.push_back(std::move(described.reading));
  }
  if (begins_anew) parts_->close();
  return reading;
}

std::function<GpuReading()> vulkan_reader(const GpuWatchOptions& options) {
  return [options, vulkan = std::shared_ptr<Vulkan>()]() mutable {
    if (!vulkan) vulkan = std::make_shared<Vulkan>(options);
    return vulkan->read();
  };
}

}  // namespace almanac
