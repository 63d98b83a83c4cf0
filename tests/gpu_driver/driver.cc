// A Vulkan driver whose devices are what a file says, read again at each question: the real loader
// loads it (tests/support/scripted_gpus.h), and what it is asked is what a real one would be.
#include <vulkan/vk_icd.h>
#include <vulkan/vulkan_core.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct Heap {
  VkDeviceSize size = 0;
  bool is_local = false;
  VkDeviceSize own = 0;
  VkDeviceSize budget = 0;
};

struct Gpu {
  int number = 0;
  int kind = 0;  // as VkPhysicalDeviceType
  bool has_budget = false;
  bool is_lost = false;
  std::string name;
  std::vector<Heap> heaps;
};

struct Script {
  int enumerates = VK_SUCCESS;  // what the question for devices is answered
  std::vector<Gpu> gpus;
};

// gpu NUMBER KIND budget|plain ok|lost NAME
// heap SIZE local|host OWN BUDGET
// enumerate RESULT
Script read_script() {
  Script script;
  const char* path = std::getenv("ALMANAC_TEST_GPUS");
  std::ifstream file(path == nullptr ? "" : path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string what;
    std::string first;
    std::string second;
    words >> what;
    if (what == "enumerate") words >> script.enumerates;
    if (what == "gpu") {
      Gpu& gpu = script.gpus.emplace_back();
      words >> gpu.number >> gpu.kind >> first >> second >> std::ws;
      std::getline(words, gpu.name);
      gpu.has_budget = first == "budget";
      gpu.is_lost = second == "lost";
    }
    if (what == "heap" && !script.gpus.empty()) {
      Heap& heap = script.gpus.back().heaps.emplace_back();
      words >> heap.size >> first >> heap.own >> heap.budget;
      heap.is_local = first == "local";
    }
  }
  return script;
}

// The loader writes into the first word of what it is given.
struct Handle {
  VK_LOADER_DATA loader;
  int number = 0;
};

Handle& physical(int number) {
  static std::mutex mutex;
  static std::map<int, Handle> all;
  const std::lock_guard lock(mutex);
  const auto [entry, is_new] = all.try_emplace(number);
  Handle& handle = entry->second;
  handle.number = number;
  if (is_new) set_loader_magic_value(&handle);
  return handle;
}

template <class Vulkan>
int number_of(Vulkan handle) {
  return reinterpret_cast<const Handle*>(handle)->number;
}

// One that is gone meanwhile has nothing.
template <class Vulkan>
Gpu find(Vulkan handle) {
  const Script script = read_script();
  const auto found = std::ranges::find(script.gpus, number_of(handle), &Gpu::number);
  return found == script.gpus.end() ? Gpu() : *found;
}

template <class Item>
VkResult give(const std::vector<Item>& items, std::uint32_t* count, Item* to) {
  if (to == nullptr) {
    *count = static_cast<std::uint32_t>(items.size());
    return VK_SUCCESS;
  }
  const auto given = std::min<std::size_t>(*count, items.size());
  std::copy_n(items.begin(), given, to);
  *count = static_cast<std::uint32_t>(given);
  return given < items.size() ? VK_INCOMPLETE : VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL create_instance(const VkInstanceCreateInfo*,
                                               const VkAllocationCallbacks*, VkInstance* instance) {
  auto* handle = new Handle;
  set_loader_magic_value(handle);
  *instance = reinterpret_cast<VkInstance>(handle);
  return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL destroy_instance(VkInstance instance, const VkAllocationCallbacks*) {
  delete reinterpret_cast<Handle*>(instance);
}

VKAPI_ATTR VkResult VKAPI_CALL instance_version(std::uint32_t* version) {
  *version = VK_API_VERSION_1_1;
  return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL instance_extensions(const char*, std::uint32_t* count,
                                                   VkExtensionProperties* to) {
  return give({}, count, to);
}

VKAPI_ATTR VkResult VKAPI_CALL enumerate(VkInstance, std::uint32_t* count, VkPhysicalDevice* to) {
  const Script script = read_script();
  if (script.enumerates != VK_SUCCESS) return static_cast<VkResult>(script.enumerates);
  std::vector<VkPhysicalDevice> devices;
  for (const Gpu& gpu : script.gpus) {
    devices.push_back(reinterpret_cast<VkPhysicalDevice>(&physical(gpu.number)));
  }
  return give(devices, count, to);
}

VKAPI_ATTR void VKAPI_CALL properties(VkPhysicalDevice device, VkPhysicalDeviceProperties* to) {
  const Gpu gpu = find(device);
  *to = {};
  to->apiVersion = VK_API_VERSION_1_1;
  to->vendorID = 0x10005;
  to->deviceID = static_cast<std::uint32_t>(number_of(device));
  to->deviceType = static_cast<VkPhysicalDeviceType>(gpu.kind);
  std::strncpy(to->deviceName, gpu.name.c_str(), sizeof(to->deviceName) - 1);
}

VKAPI_ATTR void VKAPI_CALL properties2(VkPhysicalDevice device, VkPhysicalDeviceProperties2* to) {
  properties(device, &to->properties);
  for (auto* next = static_cast<VkBaseOutStructure*>(to->pNext); next != nullptr;
       next = next->pNext) {
    if (next->sType != VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES) continue;
    auto* identity = reinterpret_cast<VkPhysicalDeviceIDProperties*>(next);
    std::memset(identity->deviceUUID, 0xa1, sizeof(identity->deviceUUID));
    identity->deviceUUID[0] = static_cast<std::uint8_t>(number_of(device));
  }
}

VKAPI_ATTR void VKAPI_CALL memory(VkPhysicalDevice device, VkPhysicalDeviceMemoryProperties* to) {
  const Gpu gpu = find(device);
  *to = {};
  for (const Heap& heap : gpu.heaps) {
    to->memoryHeaps[to->memoryHeapCount++] = {
        heap.size,
        heap.is_local ? static_cast<VkMemoryHeapFlags>(VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) : 0};
  }
}

VKAPI_ATTR void VKAPI_CALL memory2(VkPhysicalDevice device, VkPhysicalDeviceMemoryProperties2* to) {
  const Gpu gpu = find(device);
  memory(device, &to->memoryProperties);
  for (auto* next = static_cast<VkBaseOutStructure*>(to->pNext); next != nullptr;
       next = next->pNext) {
    if (next->sType != VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT) continue;
    auto* budget = reinterpret_cast<VkPhysicalDeviceMemoryBudgetPropertiesEXT*>(next);
    for (std::size_t i = 0; i < gpu.heaps.size(); ++i) {
      budget->heapUsage[i] = gpu.heaps[i].own;
      budget->heapBudget[i] = gpu.heaps[i].budget;
    }
  }
}

VKAPI_ATTR VkResult VKAPI_CALL device_extensions(VkPhysicalDevice device, const char*,
                                                 std::uint32_t* count, VkExtensionProperties* to) {
  std::vector<VkExtensionProperties> extensions;
  if (find(device).has_budget) {
    std::strncpy(extensions.emplace_back().extensionName, VK_EXT_MEMORY_BUDGET_EXTENSION_NAME,
                 VK_MAX_EXTENSION_NAME_SIZE - 1);
  }
  return give(extensions, count, to);
}

VKAPI_ATTR void VKAPI_CALL queue_families(VkPhysicalDevice, std::uint32_t* count,
                                          VkQueueFamilyProperties* to) {
  (void)give({VkQueueFamilyProperties{VK_QUEUE_COMPUTE_BIT, 1, 0, {1, 1, 1}}}, count, to);
}

VKAPI_ATTR void VKAPI_CALL features(VkPhysicalDevice, VkPhysicalDeviceFeatures* to) { *to = {}; }

// What nobody asks here, and the loader wants to be there.
VKAPI_ATTR void VKAPI_CALL not_asked() { std::abort(); }

VKAPI_ATTR VkResult VKAPI_CALL create_device(VkPhysicalDevice of, const VkDeviceCreateInfo*,
                                             const VkAllocationCallbacks*, VkDevice* device) {
  if (find(of).is_lost) return VK_ERROR_DEVICE_LOST;
  auto* handle = new Handle;
  handle->number = number_of(of);
  set_loader_magic_value(handle);
  *device = reinterpret_cast<VkDevice>(handle);
  return VK_SUCCESS;
}

VKAPI_ATTR void VKAPI_CALL destroy_device(VkDevice device, const VkAllocationCallbacks*) {
  delete reinterpret_cast<Handle*>(device);
}

VKAPI_ATTR VkResult VKAPI_CALL wait_idle(VkDevice device) {
  return find(device).is_lost ? VK_ERROR_DEVICE_LOST : VK_SUCCESS;
}

PFN_vkVoidFunction of_instance(VkInstance instance, const char* name);

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL of_device(VkDevice, const char* name) {
  return of_instance(nullptr, name);
}

template <class Function>
PFN_vkVoidFunction plain(Function function) {
  return reinterpret_cast<PFN_vkVoidFunction>(function);
}

PFN_vkVoidFunction of_instance(VkInstance, const char* name) {
  static const std::map<std::string_view, PFN_vkVoidFunction> functions = {
      {"vkCreateInstance", plain(create_instance)},
      {"vkDestroyInstance", plain(destroy_instance)},
      {"vkEnumerateInstanceVersion", plain(instance_version)},
      {"vkEnumerateInstanceExtensionProperties", plain(instance_extensions)},
      {"vkEnumeratePhysicalDevices", plain(enumerate)},
      {"vkEnumerateDeviceExtensionProperties", plain(device_extensions)},
      {"vkGetPhysicalDeviceProperties", plain(properties)},
      {"vkGetPhysicalDeviceProperties2", plain(properties2)},
      {"vkGetPhysicalDeviceMemoryProperties", plain(memory)},
      {"vkGetPhysicalDeviceMemoryProperties2", plain(memory2)},
      {"vkGetPhysicalDeviceQueueFamilyProperties", plain(queue_families)},
      {"vkGetPhysicalDeviceFeatures", plain(features)},
      {"vkGetPhysicalDeviceFormatProperties", not_asked},
      {"vkGetPhysicalDeviceImageFormatProperties", not_asked},
      {"vkGetPhysicalDeviceSparseImageFormatProperties", not_asked},
      {"vkGetDeviceProcAddr", plain(of_device)},
      {"vkCreateDevice", plain(create_device)},
      {"vkDestroyDevice", plain(destroy_device)},
      {"vkGetDeviceQueue", not_asked},
      {"vkDeviceWaitIdle", plain(wait_idle)}};
  const auto found = functions.find(name);
  return found == functions.end() ? nullptr : found->second;
}

}  // namespace

extern "C" {

VKAPI_ATTR VkResult VKAPI_CALL vk_icdNegotiateLoaderICDInterfaceVersion(std::uint32_t* version) {
  *version = std::min<std::uint32_t>(*version, 5);
  return VK_SUCCESS;
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL vk_icdGetInstanceProcAddr(VkInstance instance,
                                                                   const char* name) {
  return of_instance(instance, name);
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL vk_icdGetPhysicalDeviceProcAddr(VkInstance instance,
                                                                         const char* name) {
  const bool is_of_device = std::string_view(name).starts_with("vkGetPhysicalDevice");
  return is_of_device ? of_instance(instance, name) : nullptr;
}

}  // extern "C"
